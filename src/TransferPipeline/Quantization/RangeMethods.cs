namespace TransferPipeline.Quantization;

/// <summary>Chooses the range that 256 levels cover from a histogram of a tensor's values.</summary>
internal static class RangeMethods
{
    /// <summary>Share of the values that <see cref="CalibrationMethod.Percentile"/> leaves out on each side.</summary>
    public const double LeftOut = 1e-4;

    /// <summary>Smallest part of the full range that a search considers.</summary>
    private const double Narrowest = 0.1;

    // Steps of 0.01 of the range.
    private const int Steps = 90;

    public static QuantizedRange Choose(CalibrationMethod method, Histogram histogram)
    {
        var (low, high) = method switch
        {
            CalibrationMethod.Minmax => (histogram.Min, histogram.Max),
            CalibrationMethod.Percentile => Percentile(histogram),
            CalibrationMethod.Entropy => Entropy(histogram),
            _ => Mse(histogram),
        };
        return QuantizedRange.Of(low, high);
    }

    /// <summary>The bins between which all but <see cref="LeftOut"/> of the values lie, on each side.</summary>
    public static (double Low, double High) Percentile(Histogram histogram)
    {
        // Shares are of all values: without the zeros, a tensor that is mostly 0 would lose more than its share.
        var counts = WithZeros(histogram);
        var most = LeftOut * counts.Sum();
        var (first, last, below, above) = (0, counts.Length - 1, 0L, 0L);
        while (first < last && (below += counts[first]) <= most)
            first++;
        while (last > first && (above += counts[last]) <= most)
            last--;
        return (histogram.Min + (first * histogram.Width), histogram.Min + ((last + 1) * histogram.Width));
    }

    /// <summary>
    /// Rounding costs a value inside the range scale^2 / 12 on average and clipping costs one outside its squared distance (Banner et
    /// al. 2019); zeros cost nothing. First both ends shrink together, then each alone.
    /// </summary>
    public static (double Low, double High) Mse(Histogram histogram)
    {
        var (a, b) = (Search(s => (s, s)), 0.0);
        // Both ends start from the best common share; the full range would be a poor partner for the first search.
        b = a;
        // The best end depends on the other one, so each is searched twice.
        for (var round = 0; round < 2; round++)
        {
            var end = b;
            a = Search(s => (s, end));
            var start = a;
            b = Search(s => (start, s));
        }

        return (a * Math.Min(histogram.Min, 0), b * Math.Max(histogram.Max, 0));

        double Search(Func<double, (double A, double B)> shares)
        {
            var (best, least) = (1.0, double.PositiveInfinity);
            for (var step = 0; step <= Steps; step++)
            {
                var share = 1 - (step * (1 - Narrowest) / Steps);
                var (low, high) = shares(share);
                var error = Error(histogram, low * Math.Min(histogram.Min, 0), high * Math.Max(histogram.Max, 0));
                if (error < least)
                    (best, least) = (share, error);
            }

            return best;
        }
    }

    /// <summary>Sum of squared errors of 256 levels over [low, high].</summary>
    public static double Error(Histogram histogram, double low, double high)
    {
        var scale = (high - low) / QuantizedRange.Levels;
        var (inside, error) = (scale * scale / 12, 0.0);
        for (var i = 0; i < histogram.Counts.Length; i++)
        {
            if (histogram.Counts[i] == 0)
                continue;
            var value = histogram.Center(i);
            var outside =
                value < low ? low - value
                : value > high ? value - high
                : 0;
            error += histogram.Counts[i] * (outside > 0 ? outside * outside : inside);
        }

        return error;
    }

    /// <summary>
    /// The range whose levels keep most of the distribution's information (Migacz, "8-bit inference with TensorRT", 2017): the
    /// divergence of the clipped histogram from what its levels make of it, for thresholds on the magnitude.
    /// </summary>
    public static (double Low, double High) Entropy(Histogram histogram)
    {
        var counts = WithZeros(histogram);
        var largest = Math.Max(Math.Abs(histogram.Min), Math.Abs(histogram.Max));
        var (best, least) = (1.0, double.PositiveInfinity);
        for (var step = 0; step <= Steps; step++)
        {
            var share = 1 - (step * (1 - Narrowest) / Steps);
            var (low, high) = (Math.Max(histogram.Min, -share * largest), Math.Min(histogram.Max, share * largest));
            var divergence = Divergence(histogram, counts, low, high);
            if (divergence < least)
                (best, least) = (share, divergence);
        }

        return (Math.Max(histogram.Min, -best * largest), Math.Min(histogram.Max, best * largest));
    }

    /// <summary>Kullback-Leibler divergence of the histogram clipped to [low, high] from the one that 256 levels leave of it.</summary>
    private static double Divergence(Histogram histogram, long[] counts, double low, double high)
    {
        var first = Math.Clamp((int)Math.Floor((low - histogram.Min) / histogram.Width), 0, counts.Length - 1);
        var last = Math.Clamp((int)Math.Ceiling((high - histogram.Min) / histogram.Width) - 1, first, counts.Length - 1);
        var bins = last - first + 1;
        // With fewer bins than levels every histogram is kept exactly, and the divergence would be 0 for the narrowest range.
        if (bins <= QuantizedRange.Levels)
            return double.PositiveInfinity;
        var clipped = new double[bins];
        for (var i = 0; i < counts.Length; i++)
            // What is clipped lands on the outermost levels; the divergence then counts what clipping does.
            clipped[Math.Clamp(i, first, last) - first] += counts[i];
        var total = clipped.Sum();
        var divergence = 0.0;
        var innerTotal = 0.0;
        for (var i = first; i <= last; i++)
            innerTotal += counts[i];
        // Without a value inside there is no distribution to compare with.
        if (innerTotal == 0)
            return double.PositiveInfinity;
        for (var level = 0; level <= QuantizedRange.Levels; level++)
        {
            // Integer division spreads bins evenly over the levels, also where their number is no multiple of 256.
            var (from, to) = (level * bins / (QuantizedRange.Levels + 1), (level + 1) * bins / (QuantizedRange.Levels + 1));
            var (sum, filled) = (0.0, 0);
            for (var i = from; i < to; i++)
            {
                sum += counts[first + i];
                filled += counts[first + i] > 0 ? 1 : 0;
            }

            for (var i = from; i < to; i++)
            {
                // An empty bin contributes 0, the limit of p log p.
                if (clipped[i] == 0)
                    continue;
                // A clipped value whose bin was empty has no probability among the levels; the smallest one stands for it.
                var q = filled > 0 && counts[first + i] > 0 ? sum / filled / innerTotal : 1e-9;
                divergence += clipped[i] / total * Math.Log(clipped[i] / total / q);
            }
        }

        return divergence;
    }

    private static long[] WithZeros(Histogram histogram)
    {
        long[] counts = [.. histogram.Counts];
        if (histogram.Zeros > 0)
        {
            var bin = histogram.Width > 0 ? (int)((0 - histogram.Min) / histogram.Width) : 0;
            // Zeros are values too where information or shares are counted.
            counts[Math.Clamp(bin, 0, counts.Length - 1)] += histogram.Zeros;
        }

        return counts;
    }
}
