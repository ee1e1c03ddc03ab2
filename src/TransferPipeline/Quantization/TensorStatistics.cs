namespace TransferPipeline.Quantization;

/// <summary>What calibration photos showed of a tensor.</summary>
/// <param name="channels">Length of axis 1, or of the last axis of tokens and vectors.</param>
internal sealed class TensorStatistics(int channels)
{
    public int Channels { get; } = channels;

    public float Min { get; private set; } = float.PositiveInfinity;

    public float Max { get; private set; } = float.NegativeInfinity;

    /// <summary>Mean of each channel over photos and positions.</summary>
    public double[] Means { get; } = new double[channels];

    /// <summary>Largest magnitude of each channel.</summary>
    public float[] Magnitudes { get; } = new float[channels];

    public Histogram? Histogram { get; set; }

    /// <summary>Adds what one of <paramref name="photos"/> photos showed; called in the order of the photos.</summary>
    public void Add(PhotoStatistics photo, int photos)
    {
        // Math.Min and Math.Max keep NaN, so that RequireFinite sees a tensor that has one.
        (Min, Max) = (Math.Min(Min, photo.Min), Math.Max(Max, photo.Max));
        for (var c = 0; c < Channels; c++)
        {
            Means[c] += photo.Means[c] / photos;
            Magnitudes[c] = Math.Max(Magnitudes[c], photo.Magnitudes[c]);
        }
    }
}

/// <summary>The same of one photo.</summary>
internal readonly record struct PhotoStatistics(float Min, float Max, float[] Means, float[] Magnitudes)
{
    /// <param name="shape">Of one photo: 1 x C x ..., or 1 x ... x C for a sequence.</param>
    /// <param name="channelsFirst">Three axes are 1 x C x length, as a convolution over one axis takes them.</param>
    public static PhotoStatistics Of(ReadOnlySpan<float> values, long[] shape, bool channelsFirst = false)
    {
        var (channels, inner) = Layout(shape, channelsFirst);
        var (min, max) = (float.PositiveInfinity, float.NegativeInfinity);
        // Sums in float64: an early map has more than 10,000 values per channel, of both signs.
        var (sums, magnitudes) = (new double[channels], new float[channels]);
        for (var i = 0; i < values.Length; i += inner)
        {
            // Values of a map lie channel by channel; those of a sequence lie token by token, with one value per channel.
            var channel = i / inner % channels;
            var (sum, low, high) = Scan(values.Slice(i, inner));
            sums[channel] += sum;
            magnitudes[channel] = Math.Max(magnitudes[channel], Math.Max(-low, high));
            (min, max) = (Math.Min(min, low), Math.Max(max, high));
        }

        var perChannel = Math.Max(1, values.Length / channels);
        return new(min, max, Array.ConvertAll(sums, s => (float)(s / perChannel)), magnitudes);
    }

    /// <summary>Number of channels, and how many values of one lie side by side.</summary>
    public static (int Channels, int Inner) Layout(long[] shape, bool channelsFirst) =>
        shape.Length switch
        {
            3 when channelsFirst => ((int)shape[1], (int)shape[2]),
            // Four axes are a map, with its channels first; tokens and vectors have them last.
            4 => ((int)shape[1], (int)(shape[2] * shape[3])),
            0 => (1, 1),
            _ => ((int)shape[^1], 1),
        };

    private static (double Sum, float Low, float High) Scan(ReadOnlySpan<float> values)
    {
        var (sum, low, high) = (0.0, float.PositiveInfinity, float.NegativeInfinity);
        foreach (var value in values)
        {
            sum += value;
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }

        return (sum, low, high);
    }
}
