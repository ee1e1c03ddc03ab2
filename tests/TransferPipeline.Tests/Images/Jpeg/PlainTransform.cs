namespace TransferPipeline.Tests.Images.Jpeg;

/// <summary>The inverse transform of a block, plain: by its definition (T.81, A.3.3), and in libjpeg's integers, one value at a time.</summary>
internal static class PlainTransform
{
    /// <param name="coefficients">Dequantized, rows of vertical frequency.</param>
    /// <returns>Samples rounded half to even.</returns>
    public static byte[] InFloats(int[] coefficients)
    {
        var samples = new byte[64];
        for (var y = 0; y < 8; y++)
        {
            for (var x = 0; x < 8; x++)
            {
                var sum = 0.0;
                for (var u = 0; u < 8; u++)
                {
                    for (var v = 0; v < 8; v++)
                        sum += Scale(u) * Scale(v) / 4 * coefficients[8 * u + v] * Math.Cos((2 * y + 1) * u * Math.PI / 16) * Math.Cos((2 * x + 1) * v * Math.PI / 16);
                }

                samples[8 * y + x] = (byte)Math.Clamp(Math.Round((float)sum + 128), 0, 255);
            }
        }

        return samples;
    }

    public static byte[] InIntegers(int[] coefficients)
    {
        var work = new int[64];
        for (var v = 0; v < 8; v++)
            Line(coefficients, v, 8, work, 11);
        var levels = new int[64];
        for (var y = 0; y < 8; y++)
            Line(work, 8 * y, 1, levels, 18);
        return [.. levels.Select(level => (byte)Math.Clamp(level + 128, 0, 255))];
    }

    /// <summary>Rotations by multiples of pi / 16 with factors of 13 fractional bits, as libjpeg rounds them.</summary>
    private static void Line(int[] from, int start, int stride, int[] to, int shift)
    {
        int In(int k) => from[start + k * stride];
        void Out(int k, int even, int odd)
        {
            to[start + k * stride] = (even + odd + (1 << (shift - 1))) >> shift;
            to[start + (7 - k) * stride] = (even - odd + (1 << (shift - 1))) >> shift;
        }

        var turn = (In(2) + In(6)) * Fixed(0.541196100);
        var (low, high) = (turn - In(6) * Fixed(1.847759065), turn + In(2) * Fixed(0.765366865));
        var shared = (In(7) + In(5) + In(3) + In(1)) * Fixed(1.175875602);
        var (z1, z2) = (-(In(7) + In(1)) * Fixed(0.899976223), -(In(5) + In(3)) * Fixed(2.562915447));
        var (z3, z4) = (shared - (In(7) + In(3)) * Fixed(1.961570560), shared - (In(5) + In(1)) * Fixed(0.390180644));
        Out(0, (In(0) + In(4) << 13) + high, In(1) * Fixed(1.501321110) + z1 + z4);
        Out(1, (In(0) - In(4) << 13) + low, In(3) * Fixed(3.072711026) + z2 + z3);
        Out(2, (In(0) - In(4) << 13) - low, In(5) * Fixed(2.053119869) + z2 + z4);
        Out(3, (In(0) + In(4) << 13) - high, In(7) * Fixed(0.298631336) + z1 + z3);
    }

    private static int Fixed(double factor) => (int)Math.Round(factor * (1 << 13));

    private static double Scale(int frequency) => frequency == 0 ? Math.Sqrt(0.5) : 1;
}
