namespace TransferPipeline.Images;

/// <summary>
/// What each of the 256 levels of R, G and B becomes in a network's input. A table gives the very float32 that torchvision's
/// ToTensor and Normalize compute, since those depend on nothing but the level.
/// </summary>
internal sealed class PixelValues
{
    private readonly float[] _first;
    private readonly float[] _second;
    private readonly float[] _third;
    private readonly bool _bgr;

    public PixelValues(Preprocessing preprocessing)
    {
        _bgr = preprocessing.Bgr;
        var channels = Enumerable.Range(0, 3).Select(c => Table(preprocessing, c)).ToArray();
        // Means and deviations come in the order R, G, B, also for networks that read B, G, R.
        (_first, _second, _third) = _bgr ? (channels[2], channels[1], channels[0]) : (channels[0], channels[1], channels[2]);
    }

    private static float[] Table(Preprocessing preprocessing, int channel)
    {
        var table = new float[256];
        for (var level = 0; level < table.Length; level++)
        {
            // Each step rounds to float32, as torch's tensors do.
            table[level] =
                preprocessing.Divisor != 0
                    ? (level - (float)preprocessing.Offset) / (float)preprocessing.Divisor
                    : (level / 255f - (float)preprocessing.Mean[channel]) / (float)preprocessing.Std[channel];
        }

        return table;
    }

    /// <summary>R G B bytes to three planes, <paramref name="plane"/> values apart.</summary>
    public unsafe void ToPlanes(ReadOnlySpan<byte> pixels, float* destination, nint plane)
    {
        var count = pixels.Length / 3;
        var (a, b) = _bgr ? (2, 0) : (0, 2);
        fixed (byte* start = pixels)
        fixed (
            float* first = _first,
                second = _second,
                third = _third
        )
        {
            var pixel = start;
            for (var x = 0; x < count; x++, pixel += 3)
            {
                destination[x] = first[pixel[a]];
                destination[x + plane] = second[pixel[1]];
                destination[x + 2 * plane] = third[pixel[b]];
            }
        }
    }

    /// <summary>R G B bytes to three values per pixel.</summary>
    public unsafe void ToPixels(ReadOnlySpan<byte> pixels, float* destination)
    {
        var (a, b) = _bgr ? (2, 0) : (0, 2);
        fixed (byte* start = pixels)
        fixed (
            float* first = _first,
                second = _second,
                third = _third
        )
        {
            for (var x = 0; x < pixels.Length; x += 3)
            {
                destination[x] = first[start[x + a]];
                destination[x + 1] = second[start[x + 1]];
                destination[x + 2] = third[start[x + b]];
            }
        }
    }
}
