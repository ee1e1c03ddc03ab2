namespace TransferPipeline.Evaluation;

/// <summary>Figures of merit by scikit-learn's definitions; those that count come from the confusion matrix.</summary>
internal static class Metrics
{
    /// <summary>Number of equal-width bins of the calibration error (Guo et al. 2017).</summary>
    public const int CalibrationBins = 15;

    /// <summary>Machine epsilon of float32, to which log_loss clips float32 probabilities.</summary>
    public const double LeastProbability = 1.1920929e-07;

    /// <summary>K x K counts, row = true class, column = predicted.</summary>
    public static int[][] Confusion(int classCount, ReadOnlySpan<int> truth, ReadOnlySpan<int> predicted)
    {
        var counts = new int[classCount][];
        for (var k = 0; k < classCount; k++)
            counts[k] = new int[classCount];
        for (var i = 0; i < truth.Length; i++)
            counts[truth[i]][predicted[i]]++;
        return counts;
    }

    /// <inheritdoc cref="BalancedAccuracy(ReadOnlySpan{int}, ReadOnlySpan{int})"/>
    public static double BalancedAccuracy(int[][] confusion) => BalancedAccuracy(Hits(confusion), RowSums(confusion));

    /// <summary>Mean recall of the classes that have photos (balanced_accuracy_score).</summary>
    /// <param name="hits">Photos of each class that were predicted right.</param>
    /// <param name="supports">Photos of each class.</param>
    public static double BalancedAccuracy(ReadOnlySpan<int> hits, ReadOnlySpan<int> supports)
    {
        var (sum, classes) = (0.0, 0);
        for (var k = 0; k < hits.Length; k++)
        {
            // A class without photos has no recall; scikit-learn leaves it out of the mean too.
            if (supports[k] == 0)
                continue;
            sum += (double)hits[k] / supports[k];
            classes++;
        }

        return classes == 0 ? double.NaN : sum / classes;
    }

    /// <inheritdoc cref="MacroF1(ReadOnlySpan{int}, ReadOnlySpan{int}, ReadOnlySpan{int})"/>
    public static double MacroF1(int[][] confusion) => MacroF1(Hits(confusion), RowSums(confusion), ColumnSums(confusion));

    /// <summary>Mean F1 of the classes that occur as truth or prediction (f1_score, average macro, zero_division 0).</summary>
    /// <param name="predicted">Photos that each class was predicted for.</param>
    /// <inheritdoc cref="BalancedAccuracy(ReadOnlySpan{int}, ReadOnlySpan{int})"/>
    public static double MacroF1(ReadOnlySpan<int> hits, ReadOnlySpan<int> supports, ReadOnlySpan<int> predicted)
    {
        var (sum, classes) = (0.0, 0);
        for (var k = 0; k < hits.Length; k++)
        {
            // F1 = 2 tp / (support + predicted)
            var total = supports[k] + predicted[k];
            // Neither there nor predicted: F1 is 0 / 0, and the class does not count.
            if (total == 0)
                continue;
            sum += 2.0 * hits[k] / total;
            classes++;
        }

        return classes == 0 ? double.NaN : sum / classes;
    }

    /// <summary>
    /// Precision, recall, F1 and support of each class; not a number where a ratio has no denominator, and F1 where the recall has none.
    /// </summary>
    public static ClassResult[] PerClass(int[][] confusion, IReadOnlyList<string> names)
    {
        var predicted = ColumnSums(confusion);
        var results = new ClassResult[confusion.Length];
        for (var k = 0; k < results.Length; k++)
        {
            var (hits, support) = (confusion[k][k], confusion[k].Sum());
            results[k] = new(
                names[k],
                support,
                Defined(hits, predicted[k]),
                Defined(hits, support),
                support == 0 ? double.NaN : Defined(2.0 * hits, support + predicted[k])
            );
        }

        return results;
    }

    /// <summary>
    /// Share of photos whose class is among the k most probable; of equal probabilities the lower class counts as the larger.
    /// </summary>
    public static double TopK(Predictions p, int k)
    {
        var hits = 0;
        for (var i = 0; i < p.Count; i++)
        {
            var row = p.Row(i);
            var truth = p.Truth[i];
            var before = 0;
            for (var c = 0; c < row.Length; c++)
                // Ties go to the lower class, as in ArgMax: top-1 is then the accuracy, also where a head gives equal probabilities.
                before += row[c] > row[truth] || (row[c] == row[truth] && c < truth) ? 1 : 0;
            hits += before < k ? 1 : 0;
        }

        return Ratio(hits, p.Count);
    }

    /// <summary>
    /// Mean negative log-probability of the true class; clipped to [eps, 1 - eps] of float32 and normalized as log_loss does for float32.
    /// </summary>
    public static double LogLoss(Predictions p)
    {
        var sum = 0.0;
        for (var i = 0; i < p.Count; i++)
        {
            var total = 0.0;
            foreach (var probability in p.Row(i))
                // Clipping makes the row sum to more than 1; log_loss divides by the new sum, and so figures agree to the last digits.
                total += Math.Clamp((double)probability, LeastProbability, 1 - LeastProbability);
            sum -= Math.Log(Math.Clamp((double)p.Row(i)[p.Truth[i]], LeastProbability, 1 - LeastProbability) / total);
        }

        return p.Count == 0 ? double.NaN : sum / p.Count;
    }

    /// <summary>Bins (i / 15, (i + 1) / 15] of the top probability, the empty ones left out.</summary>
    public static CalibrationBin[] Calibration(Predictions p)
    {
        var (counts, hits, confidence) = (new int[CalibrationBins], new int[CalibrationBins], new double[CalibrationBins]);
        for (var i = 0; i < p.Count; i++)
        {
            var top = (double)p.Row(i)[p.Predicted[i]];
            // A bin is open at its lower end: a probability of exactly i / 15 belongs to the bin below. 0 is in no bin and joins the first.
            var bin = Math.Clamp((int)Math.Ceiling(top * CalibrationBins) - 1, 0, CalibrationBins - 1);
            counts[bin]++;
            confidence[bin] += top;
            hits[bin] += p.Predicted[i] == p.Truth[i] ? 1 : 0;
        }

        return
        [
            .. Enumerable
                .Range(0, CalibrationBins)
                .Where(b => counts[b] > 0)
                .Select(b => new CalibrationBin(
                    (double)b / CalibrationBins,
                    (b + 1.0) / CalibrationBins,
                    counts[b],
                    confidence[b] / counts[b],
                    (double)hits[b] / counts[b]
                )),
        ];
    }

    /// <summary>Expected calibration error: mean distance of confidence and accuracy over the bins, weighted by their photos.</summary>
    public static double CalibrationError(IReadOnlyList<CalibrationBin> bins) =>
        Ratio(bins.Sum(b => b.Count * Math.Abs(b.Accuracy - b.Confidence)), bins.Sum(b => b.Count));

    private static double Defined(double numerator, double denominator) => denominator == 0 ? double.NaN : numerator / denominator;

    private static double Ratio(double numerator, double denominator) => denominator == 0 ? 0 : numerator / denominator;

    private static int[] Hits(int[][] confusion) => [.. confusion.Select((row, k) => row[k])];

    private static int[] RowSums(int[][] confusion) => Array.ConvertAll(confusion, row => row.Sum());

    private static int[] ColumnSums(int[][] confusion)
    {
        var sums = new int[confusion.Length];
        foreach (var row in confusion)
        {
            for (var k = 0; k < sums.Length; k++)
                sums[k] += row[k];
        }

        return sums;
    }
}
