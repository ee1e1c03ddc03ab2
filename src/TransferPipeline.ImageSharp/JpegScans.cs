using System.Buffers.Binary;

namespace TransferPipeline.ImageSharp;

/// <summary>
/// Finds JPEG files from whose scans ImageSharp 2 makes other pictures: a scan of some of the components together, and restart markers in a
/// progressive file.
/// </summary>
internal static class JpegScans
{
    private const byte Marker = 0xFF,
        FirstFrame = 0xC0,
        Progressive = 0xC2,
        LastFrame = 0xCF,
        HuffmanTables = 0xC4,
        Extension = 0xC8,
        ArithmeticTables = 0xCC;
    private const byte FirstRestart = 0xD0,
        EndOfImage = 0xD9,
        StartOfScan = 0xDA,
        RestartInterval = 0xDD;

    public static bool AreMisread(ReadOnlySpan<byte> encoded)
    {
        var (components, isProgressive, hasRestarts) = (0, false, false);
        for (var at = 2; at + 4 < encoded.Length; )
        {
            var code = encoded[at + 1];
            // Coded data, or a fill byte.
            if (encoded[at] != Marker || code == Marker)
            {
                at++;
                continue;
            }

            if (code == EndOfImage)
                break;
            // A zero behind FF is data, and no segment follows the markers below SOF0 and those of restarts.
            if (code is < FirstFrame or (>= FirstRestart and < EndOfImage))
            {
                at += 2;
                continue;
            }

            var segment = encoded[(at + 4)..];
            if (code is >= FirstFrame and <= LastFrame and not (HuffmanTables or Extension or ArithmeticTables) && segment.Length > 5)
                (components, isProgressive) = (segment[5], code == Progressive);
            else if (code == RestartInterval && segment.Length > 1)
                hasRestarts = BinaryPrimitives.ReadUInt16BigEndian(segment) > 0;
            else if (code == StartOfScan && ((segment[0] > 1 && segment[0] < components) || (isProgressive && hasRestarts)))
                return true;
            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(encoded[(at + 2)..]);
        }

        return false;
    }
}
