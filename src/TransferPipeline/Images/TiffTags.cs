using System.Buffers.Binary;

namespace TransferPipeline.Images;

/// <summary>The tags of a TIFF file's first picture (TIFF 6.0, sections 2 and 8; BigTIFF).</summary>
internal static class TiffTags
{
    public const int Width = 256,
        Height = 257,
        Bits = 258,
        Compression = 259,
        Colors = 262,
        FillOrder = 266,
        StripOffsets = 273,
        Orientation = 274,
        Samples = 277,
        RowsPerStrip = 278;
    public const int StripByteCounts = 279,
        Planes = 284,
        Predictor = 317,
        InkSet = 332,
        TileWidth = 322,
        TileHeight = 323,
        TileOffsets = 324,
        TileByteCounts = 325,
        ExtraSamples = 338,
        Numbers = 339,
        ColorMap = 320;

    private const int Classic = 42,
        Big = 43;

    /// <summary>Values that one tag may have: beyond the strips of any photo that is within the limits.</summary>
    private const int MostValues = 1 << 24;

    /// <summary>
    /// The last byte that a strip or tile takes, plus 1; 0 for what cannot be read. Decoders fill what a cut file lacks with black.
    /// </summary>
    public static long End(ReadOnlySpan<byte> encoded)
    {
        List<long> offsets = [],
            counts = [];
        Read(
            encoded,
            (tag, _, _) =>
                tag switch
                {
                    StripOffsets or TileOffsets => offsets,
                    StripByteCounts or TileByteCounts => counts,
                    _ => null,
                }
        );
        // BigTIFF has offsets of 64 bits: a sum that wraps around would look like an early end.
        return offsets
            .Zip(counts, (offset, count) => offset > long.MaxValue - count ? long.MaxValue : offset + count)
            .DefaultIfEmpty()
            .Max();
    }

    /// <summary>The first value of a tag; null when it is not there.</summary>
    public static long? First(ReadOnlySpan<byte> encoded, int tag) => All(encoded, tag) is [var first, ..] ? first : null;

    /// <summary>The values of a tag that are whole numbers; empty when it is not there.</summary>
    public static IReadOnlyList<long> All(ReadOnlySpan<byte> encoded, int tag)
    {
        List<long> values = [];
        Read(encoded, (found, _, _) => found == tag ? values : null);
        return values;
    }

    /// <summary>Its pixels are in tiles, not strips: libtiff decides by either side of a tile.</summary>
    public static bool IsTiled(ReadOnlySpan<byte> encoded) =>
        First(encoded, TileWidth) is not null || First(encoded, TileHeight) is not null;

    /// <summary>Where the low two bytes of a tag's first value stand; null when it is not there. For tags of type SHORT or LONG.</summary>
    public static int? Place(ReadOnlySpan<byte> encoded, int tag)
    {
        int? place = null;
        var length = encoded.Length;
        Read(
            encoded,
            (found, _, at) =>
            {
                if (found == tag && at <= length - 2)
                    place = (int)at;
                return null;
            }
        );
        return place;
    }

    /// <summary>
    /// The first value of a tag as Pillow reads it: the last of its entries counts, and none behind one whose values the file lacks. NaN
    /// for a type that Pillow takes for bytes or text; null when the tag is not there.
    /// </summary>
    public static double? Number(ReadOnlySpan<byte> encoded, int tag)
    {
        var reader = new Reader(encoded, encoded.StartsWith("II"u8));
        double? number = null;
        if (Entries(reader) is not { } entries)
            return null;
        for (var i = 0L; i < entries.Count; i++)
        {
            var entry = entries.First + i * entries.Bytes;
            // An entry that the end cuts has no value either.
            if (entry > encoded.Length - entries.Bytes || reader.End(entry, entries.IsBig) > encoded.Length)
                break;
            if (reader.Unsigned(entry, 2) == tag)
                number = reader.Number(entry, entries.IsBig) ?? number;
        }

        return number;
    }

    /// <summary>
    /// A tag that matters and stands twice, is of type BYTE, or comes after one whose values lie outside the file: libtiff takes it, Pillow
    /// another or none.
    /// </summary>
    public static int? Ambiguous(ReadOnlySpan<byte> encoded)
    {
        const int Bytes = 1;
        int? ambiguous = null;
        HashSet<int> seen = [];
        var (isLost, length) = (false, (long)encoded.Length);
        Read(
            encoded,
            (tag, type, end) =>
            {
                var matters =
                    tag
                    is Width
                        or Height
                        or Bits
                        or Compression
                        or Colors
                        or Samples
                        or Numbers
                        or ExtraSamples
                        or ColorMap
                        or StripOffsets
                        or Planes
                        or Orientation;
                if (!seen.Add(tag) || (matters && (isLost || (type == Bytes && tag is not (StripOffsets or ColorMap)))))
                    ambiguous ??= tag;
                // Pillow stops reading tags there, libtiff goes on: later tags exist for one of them alone.
                isLost |= end > length;
                return null;
            },
            ends: true
        );
        return ambiguous;
    }

    /// <param name="target">Where a tag's values go, by the tag, its type and the place of the low two bytes of its first value; null for
    /// nowhere.</param>
    /// <param name="ends">In place of that place, <paramref name="target"/> gets the end of all values.</param>
    private static void Read(ReadOnlySpan<byte> encoded, Func<int, int, long, List<long>?> target, bool ends = false)
    {
        var reader = new Reader(encoded, encoded.StartsWith("II"u8));
        if (Entries(reader) is not { } entries)
            return;
        var isBig = entries.IsBig;
        for (var i = 0L; i < entries.Count; i++)
        {
            var entry = entries.First + i * entries.Bytes;
            if (
                reader.Unsigned(entry, 2) is { } tag
                && target(
                    (int)tag,
                    (int)(reader.Unsigned(entry + 2, 2) ?? 0),
                    ends ? reader.End(entry, isBig) : reader.LowBytes(entry, isBig)
                )
                    is { } values
            )
                reader.Values(entry, isBig, values);
        }
    }

    /// <summary>The entries of the first directory: where they begin, how many there are, and the bytes of each.</summary>
    private static (long First, long Count, int Bytes, bool IsBig)? Entries(Reader reader)
    {
        var version = reader.Unsigned(2, 2);
        var isBig = version == Big;
        if (version is not (Classic or Big) || reader.Unsigned(isBig ? 8 : 4, isBig ? 8 : 4) is not { } directory)
            return null;
        // BigTIFF widens the number of entries, and of each entry the count and the value, to 8 bytes.
        var (countBytes, entryBytes) = isBig ? (8, 20) : (2, 12);
        if (reader.Unsigned(directory, countBytes) is not { } count)
            return null;
        // The limit of classic TIFF: a damaged count of 64 bits must not keep a loop busy.
        return (directory + countBytes, Math.Min(count, ushort.MaxValue), entryBytes, isBig);
    }

    private readonly ref struct Reader(ReadOnlySpan<byte> bytes, bool littleEndian)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;

        /// <summary>A number of 1, 2, 4 or 8 bytes; null past the end, and for what no file is long enough for.</summary>
        public long? Unsigned(long at, int size)
        {
            if (at < 0 || at > _bytes.Length - size)
                return null;
            var bytes = _bytes.Slice((int)at, size);
            var value = 0UL;
            for (var i = 0; i < size; i++)
                value = value << 8 | bytes[littleEndian ? size - 1 - i : i];
            return value <= long.MaxValue ? (long)value : null;
        }

        /// <summary>Where the low two bytes of an entry's first value stand.</summary>
        public long LowBytes(long entry, bool isBig)
        {
            var (word, size) = (isBig ? 8 : 4, Unsigned(entry + 2, 2) == 4 ? 4 : 2);
            var inside = entry + 4 + word;
            var start = Unsigned(entry + 4, word) * size <= word ? inside : Unsigned(inside, word) ?? long.MaxValue / 2;
            return start + (littleEndian ? 0 : size - 2);
        }

        /// <summary>An entry's first value; NaN when it is of a type without numbers, null when the entry has no value.</summary>
        public double? Number(long entry, bool isBig)
        {
            var word = isBig ? 8 : 4;
            if (Unsigned(entry + 4, word) is null or 0)
                return null;
            var at = End(entry, isBig) == entry + 4 + 2 * word ? entry + 4 + word : Unsigned(entry + 4 + word, word) ?? long.MaxValue;
            // The types of TIFF 6.0, section 2. BYTE, ASCII and UNDEFINED are no numbers to Pillow.
            return Unsigned(entry + 2, 2) switch
            {
                3 => Unsigned(at, 2),
                4 or 13 => Unsigned(at, 4),
                5 => (double?)Unsigned(at, 4) / Unsigned(at + 4, 4),
                6 => (sbyte?)Unsigned(at, 1),
                8 => (short?)Unsigned(at, 2),
                9 => (int?)Unsigned(at, 4),
                10 => (double?)(int?)Unsigned(at, 4) / (int?)Unsigned(at + 4, 4),
                11 => Unsigned(at, 4) is { } bits ? BitConverter.UInt32BitsToSingle((uint)bits) : null,
                12 => Unsigned(at, 8) is { } bits ? BitConverter.Int64BitsToDouble(bits) : null,
                16 => Unsigned(at, 8),
                _ => double.NaN,
            };
        }

        /// <summary>Where an entry's values end.</summary>
        public long End(long entry, bool isBig)
        {
            var word = isBig ? 8 : 4;
            var size = Unsigned(entry + 2, 2) switch
            {
                1 or 2 or 6 or 7 => 1,
                3 or 8 => 2,
                4 or 9 or 11 or 13 => 4,
                5 or 10 or 12 or 16 or 17 or 18 => 8,
                _ => 0,
            };
            var count = Unsigned(entry + 4, word) ?? 0;
            // Values that fit lie in the entry, and unknown types count as such.
            // Half of the range in place of a missing offset leaves room for the sum.
            return count <= word / Math.Max(size, 1) || size == 0 ? entry + 4 + 2 * word
                : count > _bytes.Length ? long.MaxValue
                : (Unsigned(entry + 4 + word, word) ?? long.MaxValue / 2) + count * size;
        }

        /// <summary>An entry's values: in the entry itself when they fit, else where it points.</summary>
        public void Values(long entry, bool isBig, List<long> values)
        {
            var word = isBig ? 8 : 4;
            var size = Unsigned(entry + 2, 2) switch
            {
                1 => 1,
                3 => 2,
                4 => 4,
                16 => 8,
                _ => 0,
            };
            if (size == 0 || Unsigned(entry + 4, word) is not { } count || count > MostValues)
                return;
            var inside = entry + 4 + word;
            var at = count * size <= word ? inside : Unsigned(inside, word) ?? long.MaxValue;
            for (var i = 0L; i < count; i++, at += size)
            {
                if (Unsigned(at, size) is not { } value)
                    return;
                values.Add(value);
            }
        }
    }
}
