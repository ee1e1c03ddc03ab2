namespace TransferPipeline.Reports.Thumbnails;

/// <summary>The typical tables of ITU-T T.81 annex K, the zigzag order of figure A.6 and the transform of A.3.3.</summary>
internal static class JpegTables
{
    private static readonly double[] Cosines = [.. Enumerable.Range(0, 64).Select(i =>
        (i >> 3 == 0 ? Math.Sqrt(0.125) : 0.5) * Math.Cos(((2 * (i & 7)) + 1) * (i >> 3) * Math.PI / 16))];

    /// <summary>For each place in the file the place in the block.</summary>
    public static int[] ZigZag { get; } = [.. Enumerable.Range(0, 64)
        .OrderBy(i => (i >> 3) + (i & 7))
        .ThenBy(i => (((i >> 3) + (i & 7)) & 1) == 0 ? i & 7 : i >> 3)];

    public static int[] Luminance { get; } =
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ];

    public static int[] Chrominance { get; } =
    [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
        .. Enumerable.Repeat(99, 32),
    ];

    public static HuffmanTable DcLuminance { get; } = new([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [.. Enumerable.Range(0, 12).Select(i => (byte)i)]);

    public static HuffmanTable DcChrominance { get; } = new([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [.. Enumerable.Range(0, 12).Select(i => (byte)i)]);

    public static HuffmanTable AcLuminance { get; } = new([0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D], Convert.FromHexString(
        "01020300041105122131410613516107227114328191A1082342B1C11552D1F02433627282090A161718191A25262728292A3435363738393A" +
        "434445464748494A535455565758595A636465666768696A737475767778797A838485868788898A92939495969798999AA2A3A4A5A6A7A8A9AA" +
        "B2B3B4B5B6B7B8B9BAC2C3C4C5C6C7C8C9CAD2D3D4D5D6D7D8D9DAE1E2E3E4E5E6E7E8E9EAF1F2F3F4F5F6F7F8F9FA"));

    public static HuffmanTable AcChrominance { get; } = new([0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77], Convert.FromHexString(
        "000102031104052131061241510761711322328108144291A1B1C109233352F0156272D10A162434E125F11718191A262728292A35363738393A" +
        "434445464748494A535455565758595A636465666768696A737475767778797A82838485868788898A92939495969798999AA2A3A4A5A6A7A8A9AA" +
        "B2B3B4B5B6B7B8B9BAC2C3C4C5C6C7C8C9CAD2D3D4D5D6D7D8D9DAE2E3E4E5E6E7E8E9EAF2F3F4F5F6F7F8F9FA"));

    /// <summary>Divisors at a quality of 1..100 on libjpeg's scale: 50 keeps annex K's, each step towards 100 is finer.</summary>
    public static int[] Scale(int[] table, int quality)
    {
        var percent = quality < 50 ? 5000 / quality : 200 - (2 * quality);
        return Array.ConvertAll(table, v => Math.Clamp(((v * percent) + 50) / 100, 1, 255));
    }

    /// <summary>8 x 8 forward DCT in place, rows then columns.</summary>
    public static void Transform(double[] block)
    {
        Span<double> half = stackalloc double[64];
        for (var row = 0; row < 8; row++)
        {
            for (var u = 0; u < 8; u++)
            {
                var sum = 0.0;
                for (var x = 0; x < 8; x++)
                    sum += block[(row * 8) + x] * Cosines[(u * 8) + x];
                half[(row * 8) + u] = sum;
            }
        }

        for (var column = 0; column < 8; column++)
        {
            for (var v = 0; v < 8; v++)
            {
                var sum = 0.0;
                for (var y = 0; y < 8; y++)
                    sum += half[(y * 8) + column] * Cosines[(v * 8) + y];
                block[(v * 8) + column] = sum;
            }
        }
    }
}

/// <summary>A Huffman code made as annex C says: counts of codes of 1..16 bits, symbols by length.</summary>
internal sealed class HuffmanTable
{
    public HuffmanTable(byte[] counts, byte[] symbols)
    {
        (Counts, Symbols) = (counts, symbols);
        var (code, at) = (0, 0);
        for (var length = 1; length <= 16; length++, code <<= 1)
        {
            for (var i = 0; i < counts[length - 1]; i++, code++, at++)
                (Codes[symbols[at]], Lengths[symbols[at]]) = (code, length);
        }
    }

    public byte[] Counts { get; }

    public byte[] Symbols { get; }

    public int[] Codes { get; } = new int[256];

    public int[] Lengths { get; } = new int[256];
}
