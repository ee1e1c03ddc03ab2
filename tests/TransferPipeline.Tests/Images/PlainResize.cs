using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>Pillow's 8-bit resize written as plainly as it can be, whole picture, no tables: what the kernels are compared with.</summary>
internal static class PlainResize
{
    public static byte[] Run(ReadOnlySpan<byte> rgb, int width, int height, int toWidth, int toHeight, Interpolation interpolation)
    {
        var across = toWidth == width ? rgb.ToArray() : Pass(rgb, width, height, toWidth, interpolation);
        if (toHeight == height)
            return across;
        return Transpose(Pass(Transpose(across, toWidth, height), height, toWidth, toHeight, interpolation), toHeight, toWidth);
    }

    private static byte[] Pass(ReadOnlySpan<byte> rgb, int width, int height, int toWidth, Interpolation interpolation)
    {
        var result = new byte[toWidth * height * 3];
        var radius = interpolation switch
        {
            Interpolation.Bilinear => 1.0,
            Interpolation.Bicubic => 2.0,
            _ => 3.0,
        };
        var scale = (double)width / toWidth;
        var stretch = Math.Max(scale, 1.0);
        for (var x = 0; x < toWidth; x++)
        {
            var centre = (x + 0.5) * scale;
            var first = Math.Max((int)(centre - radius * stretch + 0.5), 0);
            var end = Math.Min((int)(centre + radius * stretch + 0.5), width);
            var weights = Enumerable
                .Range(first, end - first)
                .Select(i => Filter((i - centre + 0.5) * (1.0 / stretch), interpolation))
                .ToArray();
            var sum = 0.0;
            foreach (var w in weights)
                sum += w;
            for (var y = 0; y < height; y++)
            {
                for (var c = 0; c < 3; c++)
                {
                    var total = 1 << 21;
                    for (var i = 0; i < weights.Length; i++)
                    {
                        var weight = weights[i] / sum * (1 << 22);
                        total += rgb[(y * width + first + i) * 3 + c] * (int)(weight < 0 ? weight - 0.5 : weight + 0.5);
                    }

                    result[(y * toWidth + x) * 3 + c] = (byte)Math.Clamp(total >> 22, 0, 255);
                }
            }
        }

        return result;
    }

    private static byte[] Transpose(ReadOnlySpan<byte> rgb, int width, int height)
    {
        var result = new byte[rgb.Length];
        for (var i = 0; i < width * height; i++)
            rgb.Slice(i * 3, 3).CopyTo(result.AsSpan((i % width * height + i / width) * 3));
        return result;
    }

    private static double Filter(double x, Interpolation interpolation)
    {
        var d = Math.Abs(x);
        return interpolation switch
        {
            Interpolation.Bilinear => Math.Max(0, 1 - d),
            Interpolation.Bicubic => d < 1 ? (1.5 * d - 2.5) * d * d + 1
            : d < 2 ? (((d - 5) * d + 8) * d - 4) * -0.5
            : 0,
            _ => d >= 3 ? 0
            : d == 0 ? 1
            : Math.Sin(x * Math.PI) / (x * Math.PI) * (Math.Sin(x / 3 * Math.PI) / (x / 3 * Math.PI)),
        };
    }
}
