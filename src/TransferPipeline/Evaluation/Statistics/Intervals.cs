namespace TransferPipeline.Evaluation.Statistics;

/// <summary>95 % intervals.</summary>
internal static class Intervals
{
    private const int DrawsPerBlock = 50;

    /// <summary>A share of successes with Wilson's score interval (Wilson 1927).</summary>
    public static Interval Wilson(int successes, int count)
    {
        if (count == 0)
            return new(double.NaN, double.NaN, double.NaN);
        const double Z = Distributions.Normal975;
        var share = (double)successes / count;
        var shrink = 1 + (Z * Z / count);
        var centre = (share + (Z * Z / (2 * count))) / shrink;
        var half = Z / shrink * Math.Sqrt((share * (1 - share) / count) + (Z * Z / (4.0 * count * count)));
        return new(share, successes == 0 ? 0 : centre - half, successes == count ? 1 : centre + half);
    }

    /// <summary>Mean of fold scores with the t interval whose variance is corrected for overlapping training parts (Nadeau and Bengio 2003).</summary>
    /// <param name="testToTrain">Photos of a test part over photos of a training part.</param>
    public static Interval Folds(ReadOnlySpan<double> scores, double testToTrain)
    {
        var (mean, variance) = MeanAndVariance(scores);
        if (scores.Length < 2)
            return new(mean, double.NaN, double.NaN);
        var half = Distributions.StudentQuantile(0.05, scores.Length - 1) * Math.Sqrt(((1.0 / scores.Length) + testToTrain) * variance);
        return new(mean, Math.Max(0, mean - half), Math.Min(1, mean + half));
    }

    /// <summary>
    /// Percentile bootstrap of balanced accuracy and macro F1, stratified by true class: each draw takes as many photos of a class as there
    /// are, with replacement, a photo together with all its judgements.
    /// </summary>
    public static (Interval BalancedAccuracy, Interval MacroF1) Bootstrap(Predictions p, int draws, int seed, int threads)
    {
        var whole = Metrics.Confusion(p.ClassCount, p.Truth, p.Predicted);
        var members = PredictionsByPhoto(p);
        var (balanced, f1) = (new double[draws], new double[draws]);
        Blocks.For(draws, DrawsPerBlock, threads, (_, first, end) =>
        {
            var confusion = Metrics.Confusion(p.ClassCount, [], []);
            for (var draw = first; draw < end; draw++)
            {
                var random = new CounterRandom(seed, (ulong)draw);
                ulong next = 0;
                for (var k = 0; k < members.Length; k++)
                {
                    var (photos, row) = (members[k], confusion[k]);
                    Array.Clear(row);
                    for (var i = 0; i < photos.Length; i++)
                    {
                        foreach (var predicted in photos[random.Below(next++, photos.Length)])
                            row[predicted]++;
                    }
                }

                (balanced[draw], f1[draw]) = (Metrics.BalancedAccuracy(confusion), Metrics.MacroF1(confusion));
            }
        });
        return (Percentiles(Metrics.BalancedAccuracy(whole), balanced), Percentiles(Metrics.MacroF1(whole), f1));
    }

    /// <summary>Mean and sample variance (n - 1).</summary>
    public static (double Mean, double Variance) MeanAndVariance(ReadOnlySpan<double> values)
    {
        var mean = 0.0;
        foreach (var value in values)
            mean += value / values.Length;
        var squares = 0.0;
        foreach (var value in values)
            squares += (value - mean) * (value - mean);
        return (mean, values.Length < 2 ? 0 : squares / (values.Length - 1));
    }

    /// <summary>The 2.5 % and 97.5 % quantiles, linearly interpolated (numpy's default).</summary>
    public static Interval Percentiles(double value, double[] draws)
    {
        Array.Sort(draws);
        return new(value, Quantile(draws, 0.025), Quantile(draws, 0.975));
    }

    private static double Quantile(double[] sorted, double q)
    {
        var position = q * (sorted.Length - 1);
        var lower = (int)position;
        var upper = Math.Min(lower + 1, sorted.Length - 1);
        return sorted[lower] + ((position - lower) * (sorted[upper] - sorted[lower]));
    }

    /// <summary>For each class, for each of its photos, what was predicted.</summary>
    private static int[][][] PredictionsByPhoto(Predictions p) =>
    [
        .. Enumerable.Range(0, p.ClassCount).Select(k => Enumerable.Range(0, p.Count)
            .Where(i => p.Truth[i] == k)
            .GroupBy(i => p.Photos[i], i => p.Predicted[i])
            .Select(g => g.ToArray())
            .ToArray()),
    ];
}
