namespace TransferPipeline.Evaluation;

/// <summary>Tests of two heads that were evaluated on the same photos, and Holm's correction for testing many pairs.</summary>
internal static class PairedTests
{
    /// <summary>
    /// McNemar's test, two-sided, exact for any number of discordant pairs (a sign test on them). Conservative where pairs are few:
    /// a difference is then called less often than the level states, never more often.
    /// </summary>
    /// <param name="onlyFirst">Photos that only the first head has right.</param>
    /// <param name="onlySecond">Photos that only the second head has right.</param>
    public static double McNemar(int onlyFirst, int onlySecond) =>
        Math.Min(1, 2 * Distributions.FairBinomialAtMost(Math.Min(onlyFirst, onlySecond), onlyFirst + onlySecond));

    /// <summary>How many predictions only one of two heads has right.</summary>
    public static (int OnlyFirst, int OnlySecond) Discordant(Predictions first, Predictions second)
    {
        var (onlyFirst, onlySecond) = (0, 0);
        for (var i = 0; i < first.Count; i++)
        {
            var (a, b) = (first.Predicted[i] == first.Truth[i], second.Predicted[i] == second.Truth[i]);
            onlyFirst += a && !b ? 1 : 0;
            onlySecond += b && !a ? 1 : 0;
        }

        return (onlyFirst, onlySecond);
    }

    /// <summary>
    /// The corrected resampled t-test (Nadeau and Bengio 2003; for repeated k-fold Bouckaert and Frank 2004), two-sided, on the
    /// differences of fold accuracies.
    /// </summary>
    /// <param name="testToTrain">Photos of a test part over photos of a training part; 1 / (k - 1) in k-fold.</param>
    /// <param name="foldSize">Photos of a test part: accuracies come in steps of 1 / foldSize, whose rounding variance is the least
    /// variance assumed.</param>
    public static double CorrectedResampledT(ReadOnlySpan<double> first, ReadOnlySpan<double> second, double testToTrain, double foldSize)
    {
        var differences = new double[first.Length];
        for (var i = 0; i < differences.Length; i++)
            differences[i] = first[i] - second[i];
        var (mean, variance) = Intervals.MeanAndVariance(differences);
        // Folds that all differ by the same amount have no variance, and t would be infinite. Rounding to steps of 1 / foldSize hides a
        // uniform error, whose variance is the step squared over 12.
        variance = Math.Max(variance, 1 / (12 * foldSize * foldSize));
        // The mean of equal accuracies is 0 up to rounding; dividing that by a small variance would make it look like a difference.
        return Math.Abs(mean) < 1e-12
            ? 1
            : Distributions.StudentTwoSided(
                mean / Math.Sqrt(((1.0 / differences.Length) + testToTrain) * variance),
                differences.Length - 1
            );
    }

    /// <summary>Holm's step-down adjusted p-values (Holm 1979), in the order given.</summary>
    public static double[] Holm(IReadOnlyList<double> pValues)
    {
        // 1. The smallest p-value first: it is tested against the level divided by the number of pairs, the next by one less.
        var order = Enumerable.Range(0, pValues.Count).OrderBy(i => pValues[i]).ToArray();
        var adjusted = new double[pValues.Count];
        var running = 0.0;
        for (var rank = 0; rank < order.Length; rank++)
        {
            // 2. An adjusted value is never below the one before: a pair is not called different where a clearer one was not.
            running = Math.Max(running, Math.Min(1, (order.Length - rank) * pValues[order[rank]]));
            adjusted[order[rank]] = running;
        }

        return adjusted;
    }
}
