using System.Buffers.Binary;

namespace TransferPipeline.Images;

/// <summary>
/// Where the pixels of a TIFF file's first picture end (TIFF 6.0, sections 2, 8 and 15). Decoders fill what a cut file lacks
/// with black, so the length is checked first.
/// </summary>
internal static class TiffExtent
{
    private const int StripOffsets = 273, StripByteCounts = 279, TileOffsets = 324, TileByteCounts = 325;
    private const int EntryBytes = 12;

    /// <summary>The last byte that a strip or tile takes, plus 1; 0 for BigTIFF and for what cannot be read.</summary>
    public static long End(ReadOnlySpan<byte> encoded)
    {
        List<long> offsets = [], counts = [];
        Read(encoded, tag => tag switch
        {
            StripOffsets or TileOffsets => offsets,
            StripByteCounts or TileByteCounts => counts,
            _ => null,
        });
        return offsets.Zip(counts, (offset, count) => offset + count).DefaultIfEmpty().Max();
    }

    /// <summary>The first value of a tag of the first picture; null when it is not there, and for BigTIFF.</summary>
    public static long? First(ReadOnlySpan<byte> encoded, int tag)
    {
        List<long> values = [];
        Read(encoded, found => found == tag ? values : null);
        return values.Count > 0 ? values[0] : null;
    }

    /// <param name="target">Where a tag's values go; null for nowhere.</param>
    private static void Read(ReadOnlySpan<byte> encoded, Func<int, List<long>?> target)
    {
        var reader = new Reader(encoded, encoded.StartsWith("II"u8));
        if (reader.U16(2) != 42 || reader.U32(4) is not { } directory || reader.U16(directory) is not { } entries)
            return;
        for (var i = 0; i < entries; i++)
        {
            var entry = directory + 2 + (long)i * EntryBytes;
            if (reader.U16(entry) is { } tag && target(tag) is { } values)
                reader.Values(entry, values);
        }
    }

    private readonly ref struct Reader(ReadOnlySpan<byte> bytes, bool littleEndian)
    {
        private const int Short = 3, Long = 4;

        private readonly ReadOnlySpan<byte> _bytes = bytes;

        public int? U16(long at) => at + 2 > _bytes.Length ? null
            : littleEndian ? BinaryPrimitives.ReadUInt16LittleEndian(_bytes[(int)at..]) : BinaryPrimitives.ReadUInt16BigEndian(_bytes[(int)at..]);

        public long? U32(long at) => at + 4 > _bytes.Length ? null
            : littleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(_bytes[(int)at..]) : BinaryPrimitives.ReadUInt32BigEndian(_bytes[(int)at..]);

        /// <summary>An entry's values: in the entry itself when they fit 4 bytes, else where it points.</summary>
        public void Values(long entry, List<long> values)
        {
            var (type, count) = (U16(entry + 2), U32(entry + 4));
            if (type is not (Short or Long) || count is not { } n)
                return;
            var size = type == Short ? 2 : 4;
            var at = n * size <= 4 ? entry + 8 : U32(entry + 8) ?? long.MaxValue - 8;
            for (var i = 0L; i < n; i++, at += size)
            {
                var value = type == Short ? U16(at) : U32(at);
                if (value is not { } found)
                    return;
                values.Add(found);
            }
        }
    }
}
