using System.Buffers;
using TransferPipeline.Images;

namespace TransferPipeline.ImageSharp;

/// <summary>
/// From Y Cb Cr to RGB as libjpeg does it and so Pillow: colour differences that were stored at half size are spread by a triangle
/// filter, where ImageSharp would repeat them, and all is in its integers.
/// </summary>
internal static class ChromaPlanes
{
    /// <summary>libjpeg's factors of JFIF's conversion with 16 fractional bits.</summary>
    private const int RedOfCr = 91881, BlueOfCb = 116130, GreenOfCr = -46802, GreenOfCb = -22554, Half = 1 << 15;

    /// <param name="image">Pixels that hold Y, Cb, Cr, each colour difference repeated over its step; RGB afterwards.</param>
    /// <param name="across">Pixels across that share a sample.</param>
    /// <param name="down">Pixels down that share a sample.</param>
    public static void ToRgb(RgbImage image, int across, int down)
    {
        var (columns, rows) = ((image.Width + across - 1) / across, (image.Height + down - 1) / down);
        var samples = ArrayPool<byte>.Shared.Rent(2 * columns * rows);
        var line = ArrayPool<byte>.Shared.Rent(2 * (columns * across + across));
        var sums = ArrayPool<int>.Shared.Rent(columns);
        try
        {
            for (var i = 0; i < rows; i++)
            {
                var row = image.Row(i * down);
                for (var j = 0; j < columns; j++)
                    (samples[i * columns + j], samples[(rows + i) * columns + j]) = (row[j * across * 3 + 1], row[j * across * 3 + 2]);
            }

            var half = columns * across;
            for (var y = 0; y < image.Height; y++)
            {
                Spread(samples.AsSpan(0, rows * columns), columns, rows, y, across, down, sums, line.AsSpan(0, half));
                Spread(samples.AsSpan(rows * columns, rows * columns), columns, rows, y, across, down, sums, line.AsSpan(half, half));
                Convert(image.Row(y), line.AsSpan(0, half), line.AsSpan(half, half));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(samples);
            ArrayPool<byte>.Shared.Return(line);
            ArrayPool<int>.Shared.Return(sums);
        }
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

    private static void Convert(Span<byte> row, ReadOnlySpan<byte> blue, ReadOnlySpan<byte> red)
    {
        for (int x = 0, t = 0; t < row.Length; x++, t += 3)
        {
            var (luma, cb, cr) = (row[t], blue[x] - 128, red[x] - 128);
            row[t] = Clip(luma + ((RedOfCr * cr + Half) >> 16));
            row[t + 1] = Clip(luma + ((GreenOfCb * cb + GreenOfCr * cr + Half) >> 16));
            row[t + 2] = Clip(luma + ((BlueOfCb * cb + Half) >> 16));
        }
    }

    private static byte Clip(int level) => (byte)Math.Clamp(level, 0, 255);
}
