using System.Buffers.Binary;
using static TransferPipeline.Images.JpegMarkers;

namespace TransferPipeline.Images;

/// <summary>How the pixels' data of a JPEG file ends.</summary>
internal enum JpegEnd
{
    /// <summary>With an end marker, or in a way that only a decoder can see.</summary>
    Regular,

    /// <summary>Without an end marker: the file was cut.</summary>
    Missing,

    /// <summary>At a marker that libjpeg calls an error.</summary>
    Broken,

    /// <summary>Before all scans of a progressive file: its blocks would be smoothed.</summary>
    Incomplete,

    /// <summary>The headers before the pixels are of an uncommon form; a decoder checks them.</summary>
    Unknown,
}

/// <summary>
/// Follows the markers of a JPEG file (ITU T.81, annex B) as libjpeg does (jdmarker.c). In a file of one scan, libjpeg meets a wrong marker
/// only after the last row, where libvips no longer listens: below the marker the picture is grey, and Pillow refuses it.
/// </summary>
internal readonly ref struct JpegScan
{
    private const int NoMarker = -1,
        BlockSide = 8,
        TableValues = 64,
        MostTables = 4,
        MostCodes = 256,
        CodeLengths = 16;
    private const int ArithmeticTableCount = 16,
        SmoothedBy = 10,
        LeastNamed = 7;

    private readonly ReadOnlySpan<byte> _encoded;

    private JpegScan(ReadOnlySpan<byte> encoded) => _encoded = encoded;

    /// <summary>How the file ends; <paramref name="at"/> is the byte behind the marker that decides.</summary>
    public static JpegEnd End(ReadOnlySpan<byte> encoded, out int at) => new JpegScan(encoded).Follow(out at);

    /// <summary>
    /// The EXIF block: the first APP1 segment before the pixels that has its header (Exif 2.32, 4.7.2); empty for none.
    /// </summary>
    public static ReadOnlySpan<byte> Exif(ReadOnlySpan<byte> encoded)
    {
        var scan = new JpegScan(encoded);
        for (var at = 2; ; )
        {
            var marker = scan.NextMarker(ref at);
            if (marker is NoMarker or StartOfScan)
                return [];
            if (marker is Temporary or (>= FirstRestart and <= EndOfImage))
                continue;
            var segment = scan.Segment(at);
            // Pillow asks for one zero of the two behind the word.
            if (marker == FirstApplication + 1 && segment.StartsWith("Exif\0"u8))
                return segment;
            at += segment.Length + 2;
        }
    }

    private JpegEnd Follow(out int at)
    {
        at = 2;
        ReadOnlySpan<byte> frame = [];
        var (type, interval) = (NoMarker, 0);
        while (true)
        {
            var marker = NextMarker(ref at);
            // No segment follows it, and libjpeg's read_markers passes over it.
            if (marker is >= FirstRestart and <= LastRestart)
                continue;

            // libjpeg would skip one of these, Pillow's reader of headers refuses it.
            if (marker == Temporary)
                return JpegEnd.Broken;
            if (marker is NoMarker or StartOfImage or EndOfImage || at + 2 > _encoded.Length)
                return JpegEnd.Unknown;
            var segment = Segment(at);
            at += segment.Length + 2;
            // In such segments Pillow reads two bytes at offset 5, and fails on a shorter one.
            if (segment.Length < LeastNamed && (segment.StartsWith("JFIF"u8) || segment.StartsWith("Adobe"u8)))
                return JpegEnd.Broken;
            // DHT, JPG and DAC have codes within the range of the frames.
            if (IsFrame(marker))
            {
                frame = segment;
                type = marker;
            }
            else if (marker == RestartInterval && segment.Length == 2)
                interval = BinaryPrimitives.ReadUInt16BigEndian(segment);
            else if (marker == StartOfScan)
                // A sequential frame with all components in one scan: libjpeg gives rows while it reads,
                // and reaches what follows the scan only after the last row.
                return frame.Length < 6 || segment.IsEmpty ? JpegEnd.Unknown
                    : type is < FirstProgressive or ArithmeticSequential && segment[0] == frame[5]
                        ? AfterOnlyScan(ref at, Units(frame), interval)
                    : AfterScans(ref at, frame, segment);
        }
    }

    /// <summary>
    /// Of several scans libjpeg reads all before it gives a row, so that it finds errors itself. Where a progressive file lacks scans it
    /// smooths blocks, differently from version to version (jdcoefct.c: smoothing_ok).
    /// </summary>
    private JpegEnd AfterScans(ref int at, ReadOnlySpan<byte> frame, ReadOnlySpan<byte> scan)
    {
        var components = frame[5];
        // libjpeg's coef_bits of its first SAVED_COEFS coefficients: low bits still missing, -1 before the first scan.
        Span<sbyte> known = stackalloc sbyte[byte.MaxValue * SmoothedBy];
        known.Fill(-1);
        while (true)
        {
            Note(scan, frame, known);
            int marker;
            do
            {
                marker = NextMarker(ref at);
            } while (marker is Temporary or (>= FirstRestart and <= LastRestart));
            if (marker == NoMarker || at + 2 > _encoded.Length)
                return marker == EndOfImage ? EndOf(components, known) : JpegEnd.Missing;
            if (marker == EndOfImage)
                return EndOf(components, known);
            scan = marker == StartOfScan ? Segment(at) : [];
            at += Segment(at).Length + 2;
        }
    }

    /// <summary>Notes to how many bits a scan makes the first coefficients of its components known.</summary>
    private static void Note(ReadOnlySpan<byte> scan, ReadOnlySpan<byte> frame, Span<sbyte> known)
    {
        if (scan.IsEmpty || scan.Length < 4 + 2 * scan[0])
            return;
        // Behind the components stand Ss, Se, and Ah and Al in one byte (T.81, B.2.3).
        var (first, last, low) = (scan[1 + 2 * scan[0]], scan[2 + 2 * scan[0]], (sbyte)(scan[3 + 2 * scan[0]] & 15));
        for (var s = 0; s < scan[0]; s++)
        {
            // A component of the frame takes three bytes: identifier, sampling factors, table (T.81, B.2.2).
            for (var c = 0; c < frame[5] && 6 + 3 * c < frame.Length; c++)
            {
                for (int k = first; frame[6 + 3 * c] == scan[1 + 2 * s] && k <= last && k < SmoothedBy; k++)
                    known[c * SmoothedBy + k] = low;
            }
        }
    }

    private static JpegEnd EndOf(int components, ReadOnlySpan<sbyte> known)
    {
        var isIncomplete = false;
        for (var c = 0; c < components; c++)
        {
            // smoothing_ok: where a component's DC coefficient is unknown, nothing is smoothed.
            if (known[c * SmoothedBy] < 0)
                return JpegEnd.Regular;
            isIncomplete |= known.Slice(c * SmoothedBy + 1, SmoothedBy - 1).ContainsAnyExcept((sbyte)0);
        }

        return isIncomplete ? JpegEnd.Incomplete : JpegEnd.Regular;
    }

    /// <param name="units">Coded units (MCU) of the picture.</param>
    /// <param name="interval">Units from one restart marker to the next; 0 for none.</param>
    private JpegEnd AfterOnlyScan(ref int at, long units, int interval)
    {
        var marker = NoMarker;
        // No restart marker stands behind the last interval.
        var restarts = interval > 0 ? (units - 1) / interval : 0;
        for (var r = 0L; r < restarts; r++)
        {
            // A marker that Resynchronize left unread is compared with the next restart before more data is searched.
            if (marker == NoMarker && (marker = NextMarker(ref at)) == NoMarker)
                return JpegEnd.Missing;
            // Restart markers count modulo 8.
            if (!Resynchronize(ref at, ref marker, (int)(r & 7)))
                return JpegEnd.Missing;
            // Fewer intervals than there should be: libjpeg warns of that itself, so the decoder decides.
            if (marker == EndOfImage)
                return JpegEnd.Regular;
        }

        while (true)
        {
            if (marker == NoMarker && (marker = NextMarker(ref at)) == NoMarker)
                return JpegEnd.Missing;
            if (marker == EndOfImage)
                return JpegEnd.Regular;
            if (marker is not (Temporary or (>= FirstRestart and <= LastRestart)))
            {
                if (!CanFollow(marker) || IsWrong(marker, at))
                    return JpegEnd.Broken;
                at += Segment(at).Length + 2;
            }

            marker = NoMarker;
        }
    }

    /// <summary>
    /// jpeg_resync_to_restart: takes the expected marker, skips wrong ones, or leaves one for the next restart. False at the file's end.
    /// </summary>
    private bool Resynchronize(ref int at, ref int marker, int expected)
    {
        while (marker != FirstRestart + expected)
        {
            // Codes below SOF0 are no markers: libjpeg searches on.
            if (marker >= FirstFrame)
            {
                // 1 or 2 ahead, restarts were lost, and this one waits for its turn. 6 or 7: a late one, to be skipped.
                // 3 to 5: too far off, so libjpeg drops it and goes on as if it were the expected one.
                var ahead = marker - FirstRestart - expected & 7;
                if (marker is < FirstRestart or > LastRestart || ahead is 1 or 2)
                    return true;
                if (ahead is not (6 or 7))
                    break;
            }

            if ((marker = NextMarker(ref at)) == NoMarker)
                return false;
        }

        marker = NoMarker;
        return true;
    }

    /// <summary>read_markers: what may stand between the last row and the end marker.</summary>
    private static bool CanFollow(int marker) =>
        marker
            is ArithmeticTables
                or Lines
                or Comment
                or RestartInterval
                or QuantizationTables
                or HuffmanTables
                or (>= FirstApplication and <= LastApplication);

    /// <summary>A segment of tables holds what libjpeg calls an error; one that the file's end cuts is read as far as it goes.</summary>
    private bool IsWrong(int marker, int at)
    {
        var segment = Segment(at);
        var isCut = at + 2 > _encoded.Length || BinaryPrimitives.ReadUInt16BigEndian(_encoded[at..]) - 2 > segment.Length;
        switch (marker)
        {
            case RestartInterval:
                return at + 2 <= _encoded.Length && BinaryPrimitives.ReadUInt16BigEndian(_encoded[at..]) != 4;
            case QuantizationTables:
                while (!segment.IsEmpty)
                {
                    if ((segment[0] & 15) >= MostTables)
                        return true;
                    var length = 1 + TableValues * (segment[0] >> 4 == 0 ? 1 : 2);
                    if (segment.Length < length)
                        return !isCut;
                    segment = segment[length..];
                }

                return false;
            case HuffmanTables:
                // As in get_dht; a rest too short for another table is an error of its own, checked behind the loop.
                while (segment.Length > CodeLengths)
                {
                    var codes = 0;
                    foreach (var count in segment.Slice(1, CodeLengths))
                        codes += count;
                    // Bit 4 is the class, DC or AC; the other bits are the table's number.
                    if (codes > MostCodes || (segment[0] & ~0x10) >= MostTables)
                        return true;
                    if (segment.Length < 1 + CodeLengths + codes)
                        return !isCut;
                    segment = segment[(1 + CodeLengths + codes)..];
                }

                return !segment.IsEmpty && !isCut;
            case ArithmeticTables:
                for (; segment.Length >= 2; segment = segment[2..])
                {
                    if (
                        // Below 16 are DC tables, whose bounds L and U must not cross (get_dac).
                        segment[0] >= 2 * ArithmeticTableCount
                        || (segment[0] < ArithmeticTableCount && (segment[1] & 15) > segment[1] >> 4)
                    )
                        return true;
                }

                return !segment.IsEmpty && !isCut;
            default:
                return false;
        }
    }

    private static long Units(ReadOnlySpan<byte> frame)
    {
        var (height, width, components) = (
            BinaryPrimitives.ReadUInt16BigEndian(frame[1..]),
            BinaryPrimitives.ReadUInt16BigEndian(frame[3..]),
            frame[5]
        );
        var (across, down) = (1, 1);
        // A scan of one component has units of one block, whatever its sampling factors (T.81, A.2.2).
        for (var c = 0; components > 1 && c < components && 7 + 3 * c < frame.Length; c++)
            (across, down) = (Math.Max(across, frame[7 + 3 * c] >> 4), Math.Max(down, frame[7 + 3 * c] & 15));
        return (long)((width + BlockSide * across - 1) / (BlockSide * across)) * ((height + BlockSide * down - 1) / (BlockSide * down));
    }

    /// <summary>A segment without its length; as long as its length states, or to the end of the file.</summary>
    private ReadOnlySpan<byte> Segment(int at)
    {
        if (at + 2 > _encoded.Length)
            return default;
        var length = Math.Max(0, BinaryPrimitives.ReadUInt16BigEndian(_encoded[at..]) - 2);
        return _encoded.Slice(at + 2, Math.Min(length, _encoded.Length - at - 2));
    }

    /// <summary>
    /// Skips data to the next marker and moves behind it; a fill byte may stand before its code, and 0 behind one is data.
    /// </summary>
    private int NextMarker(ref int at)
    {
        while (true)
        {
            var next = at < _encoded.Length ? _encoded[at..].IndexOf(Fill) : -1;
            if (next < 0)
                return NoMarker;
            at += next;
            while (at < _encoded.Length && _encoded[at] == Fill)
                at++;
            if (at >= _encoded.Length)
                return NoMarker;
            if (_encoded[at++] is not 0 and var marker)
                return marker;
        }
    }
}
