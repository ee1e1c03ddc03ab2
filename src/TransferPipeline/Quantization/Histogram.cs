namespace TransferPipeline.Quantization;

/// <summary>Counts of a tensor's values in equal bins from its smallest to its largest value; exact zeros are counted apart.</summary>
internal sealed class Histogram(float min, float max, int bins = Histogram.Bins)
{
    /// <summary>Eight bins for each of the 256 levels of the widest range.</summary>
    public const int Bins = 2048;

    private readonly long[] _counts = new long[bins];

    public float Min => min;

    public float Max => max;

    /// <summary>Values that are exactly 0: every range has a level for them.</summary>
    public long Zeros { get; private set; }

    public ReadOnlySpan<long> Counts => _counts;

    // In float64, since max - min of float32 can be infinite.
    public double Width => ((double)max - min) / _counts.Length;

    public double Center(int bin) => min + ((bin + 0.5) * Width);

    public void Add(ReadOnlySpan<float> values)
    {
        // A constant tensor has no width: all its values belong to the first bin.
        var (inverse, zeros) = (Width > 0 ? 1 / Width : 0, 0L);
        foreach (var value in values)
        {
            // Behind a Relu half of the values are 0. Counted in a bin, they would have the error of that bin's centre.
            if (value == 0)
                zeros++;
            else
                // Clamped: the largest value would fall behind the last bin, and rounding can push others over an edge.
                _counts[Math.Clamp((int)((value - min) * inverse), 0, _counts.Length - 1)]++;
        }

        Zeros += zeros;
    }

    /// <summary>Adds the counts of a histogram of the same bins.</summary>
    public void Add(Histogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
            _counts[i] += other._counts[i];
        Zeros += other.Zeros;
    }
}
