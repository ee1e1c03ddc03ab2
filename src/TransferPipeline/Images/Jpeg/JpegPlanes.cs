using System.Buffers;

namespace TransferPipeline.Images.Jpeg;

/// <summary>
/// From the components of a JPEG file to RGB as libjpeg does it and so Pillow: its inverse transform where the samples tell their
/// coefficients, a triangle filter for colour differences that were stored at half size, where ImageSharp would repeat them, and its
/// integers for the conversion.
/// </summary>
internal static class JpegPlanes
{
    /// <summary>libjpeg's factors of JFIF's conversion with 16 fractional bits.</summary>
    private const int RedOfCr = 91881, BlueOfCb = 116130, GreenOfCr = -46802, GreenOfCb = -22554, Half = 1 << 15;

    /// <param name="image">Pixels that hold the components, each colour difference repeated over its step; RGB afterwards.</param>
    public static void ToRgb(RgbImage image, JpegLayout jpeg)
    {
        var (across, down) = jpeg.ChromaStep;
        var (columns, rows) = ((image.Width + across - 1) / across, (image.Height + down - 1) / down);
        var (full, part, half) = (image.Width * image.Height, columns * rows, columns * across);
        var samples = ArrayPool<byte>.Shared.Rent(full + 2 * part + 2 * half);
        var sums = ArrayPool<int>.Shared.Rent(columns);
        try
        {
            var luma = samples.AsSpan(0, full);
            var blue = samples.AsSpan(full, part);
            var red = samples.AsSpan(full + part, part);
            Take(image, 0, 1, 1, image.Width, luma);
            Restore(jpeg, 0, luma, image.Width, image.Height);
            if (jpeg.IsYCbCr)
            {
                Take(image, 1, across, down, columns, blue);
                Take(image, 2, across, down, columns, red);
                Restore(jpeg, 1, blue, columns, rows);
                Restore(jpeg, 2, red, columns, rows);
            }

            var blueLine = samples.AsSpan(full + 2 * part, half);
            var redLine = samples.AsSpan(full + 2 * part + half, half);
            for (var y = 0; y < image.Height; y++)
            {
                var row = image.Row(y);
                var lumaLine = luma.Slice(y * image.Width, image.Width);
                if (!jpeg.IsYCbCr)
                {
                    for (var x = 0; x < lumaLine.Length; x++)
                        row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = lumaLine[x];
                    continue;
                }

                Spread(blue, columns, rows, y, across, down, sums, blueLine);
                Spread(red, columns, rows, y, across, down, sums, redLine);
                Convert(row, lumaLine, blueLine, redLine);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(samples);
            ArrayPool<int>.Shared.Return(sums);
        }
    }

    private static void Take(RgbImage image, int component, int across, int down, int columns, Span<byte> plane)
    {
        for (int y = 0, at = 0; y < image.Height; y += down, at += columns)
        {
            var row = image.Row(y);
            for (var j = 0; j < columns; j++)
                plane[at + j] = row[j * across * 3 + component];
        }
    }

    private static void Restore(JpegLayout jpeg, int component, Span<byte> plane, int columns, int rows)
    {
        if (jpeg.Steps(component) is { } steps)
            JpegTransform.Restore(plane, columns, rows, steps);
    }

    /// <summary>One row of a plane at full size. Halves are filtered as libjpeg-turbo's jdsample.c does; other steps and planes of one or two columns are repeated.</summary>
    private static void Spread(ReadOnlySpan<byte> plane, int columns, int rows, int y, int across, int down, Span<int> sums, Span<byte> target)
    {
        var near = plane.Slice(y / down * columns, columns);
        var neighbour = Math.Clamp(y / down + (y % down == 0 ? -1 : 1), 0, rows - 1);
        var far = plane.Slice(neighbour * columns, columns);
        if ((across, down) == (1, 2))
        {
            for (var j = 0; j < columns; j++)
                target[j] = (byte)((near[j] * 3 + far[j] + 1 + (y & 1)) >> 2);
        }
        else if (across == 2 && down <= 2 && columns > 2)
        {
            for (var j = 0; j < columns; j++)
                sums[j] = down == 2 ? near[j] * 3 + far[j] : near[j];
            var (shift, left, right) = down == 2 ? (4, 8, 7) : (2, 1, 2);
            for (var j = 0; j < columns; j++)
            {
                // A border sample stands for the one beyond it; where rows are not filtered, libjpeg takes it as it is.
                var (before, after) = (sums[Math.Max(j - 1, 0)], sums[Math.Min(j + 1, columns - 1)]);
                target[2 * j] = (byte)((sums[j] * 3 + before + left) >> shift);
                target[2 * j + 1] = (byte)((sums[j] * 3 + after + right) >> shift);
            }
        }
        else
        {
            for (var x = 0; x < target.Length; x++)
                target[x] = near[x / across];
        }
    }

    private static void Convert(Span<byte> row, ReadOnlySpan<byte> lumas, ReadOnlySpan<byte> blue, ReadOnlySpan<byte> red)
    {
        for (int x = 0, t = 0; t < row.Length; x++, t += 3)
        {
            var (luma, cb, cr) = (lumas[x], blue[x] - 128, red[x] - 128);
            row[t] = Clip(luma + ((RedOfCr * cr + Half) >> 16));
            row[t + 1] = Clip(luma + ((GreenOfCb * cb + GreenOfCr * cr + Half) >> 16));
            row[t + 2] = Clip(luma + ((BlueOfCb * cb + Half) >> 16));
        }
    }

    private static byte Clip(int level) => (byte)Math.Clamp(level, 0, 255);
}
