namespace TransferPipeline.Evaluation;

/// <summary>95 % intervals.</summary>
internal static class Intervals
{
    private const int DrawsPerBlock = 50;

    /// <summary>A share of successes with Wilson's score interval (Wilson 1927).</summary>
    public static ConfidenceInterval Wilson(int successes, int count) => WilsonOfShare((double)successes / count, count);

    /// <summary>
    /// Mean accuracy of the folds with the t interval whose variance is corrected for overlapping training parts (Nadeau and Bengio 2003),
    /// never narrower than Wilson's for the photos that were evaluated: folds that happen to agree, as they do where nothing is wrong, say
    /// nothing of other photos.
    /// </summary>
    /// <param name="testToTrain">Photos of a test part over photos of a training part.</param>
    /// <param name="photos">Different photos that were evaluated.</param>
    public static ConfidenceInterval Folds(ReadOnlySpan<double> accuracies, double testToTrain, int photos)
    {
        var folds = Means(accuracies, testToTrain);
        var wilson = WilsonOfShare(folds.Value, photos);
        return new(folds.Value, Math.Min(folds.Low, wilson.Low), Math.Max(folds.High, wilson.High));
    }

    /// <summary>
    /// How much more often the first of two classifiers is right on the same photos, with the interval of Agresti and Min (2005), which
    /// counts half a photo more in each of the four cases.
    /// </summary>
    public static ConfidenceInterval PairedDifference(int onlyFirst, int onlySecond, int count)
    {
        var (gap, n) = ((double)onlyFirst - onlySecond, count + 2.0);
        var half = Distributions.Normal975 * Math.Sqrt(onlyFirst + onlySecond + 1 - (gap * gap / n)) / n;
        return new(gap / count, Math.Max(-1, (gap / n) - half), Math.Min(1, (gap / n) + half));
    }

    /// <summary>Mean of shares of 0..1 with its t interval.</summary>
    /// <param name="correction">What is added to 1 / n in the variance of the mean, for shares that are not independent.</param>
    public static ConfidenceInterval Means(ReadOnlySpan<double> shares, double correction = 0)
    {
        var (mean, variance) = MeanAndVariance(shares);
        if (shares.Length < 2)
            return new(mean, double.NaN, double.NaN);
        // Nadeau and Bengio: folds share training photos, so the variance of their mean is larger than variance / n.
        var half = Distributions.StudentQuantile(0.05, shares.Length - 1) * Math.Sqrt(((1.0 / shares.Length) + correction) * variance);
        return new(mean, Math.Max(0, mean - half), Math.Min(1, mean + half));
    }

    private static ConfidenceInterval WilsonOfShare(double share, double count)
    {
        if (count == 0)
            return new(double.NaN, double.NaN, double.NaN);
        const double Z = Distributions.Normal975;
        var shrink = 1 + (Z * Z / count);
        var centre = (share + (Z * Z / (2 * count))) / shrink;
        var half = Z / shrink * Math.Sqrt((share * (1 - share) / count) + (Z * Z / (4.0 * count * count)));
        // The ends are exact where all or none are right; rounding could leave an end slightly outside 0 to 1.
        return new(share, share <= 0 ? 0 : centre - half, share >= 1 ? 1 : centre + half);
    }

    /// <summary>
    /// Percentile bootstrap of balanced accuracy and macro F1, stratified by true class: each draw takes as many photos of a class as there
    /// are, with replacement, a photo together with all its predictions. Draws without a mistake know nothing of the mistakes of other
    /// photos, nor those of mistakes alone of other right ones, and in a class of one photo all draws are alike: an interval that reaches 0
    /// or 1, or has such a class, is never narrower than Wilson's.
    /// </summary>
    public static (ConfidenceInterval BalancedAccuracy, ConfidenceInterval MacroF1) Bootstrap(
        Predictions p,
        int draws,
        int seed,
        int threads
    )
    {
        var all = Metrics.Confusion(p.ClassCount, p.Truth, p.Predicted);
        var members = PredictionsByPhoto(p);
        var (balanced, f1) = (new double[draws], new double[draws]);
        Blocks.For(
            draws,
            DrawsPerBlock,
            threads,
            (_, first, end) =>
            {
                // Of the confusion matrix both figures need the diagonal and the sums alone.
                var (hits, supports, predicted) = (new int[p.ClassCount], new int[p.ClassCount], new int[p.ClassCount]);
                for (var draw = first; draw < end; draw++)
                {
                    // A stream per draw: a draw is the same whichever thread makes it.
                    var random = RandomStream.OfDraws(seed, (ulong)draw);
                    ulong next = 0;
                    Array.Clear(predicted);
                    for (var k = 0; k < members.Length; k++)
                    {
                        var photos = members[k];
                        (hits[k], supports[k]) = (0, 0);
                        for (var i = 0; i < photos.Length; i++)
                        {
                            foreach (var named in photos[random.BelowAt(next++, photos.Length)])
                            {
                                predicted[named]++;
                                supports[k]++;
                                // With repeated folds a photo has several predictions. They stay together:
                                // photos are drawn, not predictions.
                                hits[k] += named == k ? 1 : 0;
                            }
                        }
                    }

                    (balanced[draw], f1[draw]) = (Metrics.BalancedAccuracy(hits, supports), Metrics.MacroF1(hits, supports, predicted));
                }
            }
        );
        return (
            Widened(Percentiles(Metrics.BalancedAccuracy(all), balanced), members),
            Widened(Percentiles(Metrics.MacroF1(all), f1), members)
        );
    }

    /// <summary>
    /// Photos that would give an accuracy the variance that the mean over classes has: K² / Σ (1 / photos of the class), the number of
    /// photos when classes are equally large and fewer otherwise.
    /// </summary>
    private static double EffectiveCount(int[][][] members)
    {
        double[] sizes = [.. members.Where(photos => photos.Length > 0).Select(photos => (double)photos.Length)];
        return sizes.Length * sizes.Length / sizes.Sum(n => 1 / n);
    }

    private static ConfidenceInterval Widened(ConfidenceInterval drawn, int[][][] members)
    {
        if (drawn is { Low: > 0, High: < 1 } && !Array.Exists(members, photos => photos.Length == 1))
            return drawn;
        var wilson = WilsonOfShare(drawn.Value, EffectiveCount(members));
        return drawn with { Low = Math.Min(drawn.Low, wilson.Low), High = Math.Max(drawn.High, wilson.High) };
    }

    /// <summary>Mean and sample variance (n - 1).</summary>
    public static (double Mean, double Variance) MeanAndVariance(ReadOnlySpan<double> values)
    {
        var mean = 0.0;
        foreach (var value in values)
            // Two passes: the sum of squares minus the squared mean would cancel for accuracies that differ in the third digit.
            mean += value / values.Length;
        var squares = 0.0;
        foreach (var value in values)
            squares += (value - mean) * (value - mean);
        return (mean, values.Length < 2 ? 0 : squares / (values.Length - 1));
    }

    /// <summary>The 2.5 % and 97.5 % quantiles, linearly interpolated (numpy's default).</summary>
    public static ConfidenceInterval Percentiles(double value, double[] draws)
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
            .. Enumerable
                .Range(0, p.ClassCount)
                .Select(k =>
                    Enumerable
                        .Range(0, p.Count)
                        .Where(i => p.Truth[i] == k)
                        .GroupBy(i => p.Photos[i], i => p.Predicted[i])
                        .Select(g => g.ToArray())
                        .ToArray()
                ),
        ];
}
