namespace TransferPipeline.Evaluation;

/// <summary>
/// Temperature scaling (Guo et al. 2017) of log-probabilities; for heads whose probabilities are a softmax of scores the same as of the
/// scores.
/// </summary>
/// <param name="Temperature">Probabilities to the power 1 / Temperature, normalized, are the scaled ones.</param>
/// <param name="Zero">
/// What a probability of zero counts as. Shares of votes have zeros whose logarithm means nothing; what the clipping of log_loss makes of
/// them, 1e-7, would decide on the temperature alone. Half of the least share that occurs is what half a vote would have been.
/// </param>
internal readonly record struct TemperatureScaling(double Temperature, double Zero)
{
    private const double Coldest = 1e-3;
    private const double Hottest = 1e3;

    /// <summary>The temperature of least log-loss: convex in 1 / T, so the root of the derivative is found by halving.</summary>
    public static TemperatureScaling Fit(Predictions p)
    {
        var least = 1f;
        foreach (var probability in p.Probabilities)
            least = probability > 0 ? Math.Min(least, probability) : least;
        var zero = least / 2.0;
        var (low, high) = (Math.Log(1 / Hottest), Math.Log(1 / Coldest));
        // Where all are right, the loss and its slope become 0 by underflow long before the end: the slope at the hot end decides then.
        var falls = Slope(p, zero, 1 / Hottest) < 0;
        // In log(1 / T), so that hot and cold are searched alike. 60 halvings leave less than the rounding of a double.
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            var slope = Slope(p, zero, Math.Exp(middle));
            (low, high) = slope < 0 || (slope == 0 && falls) ? (middle, high) : (low, middle);
        }

        return new(Math.Exp(-(low + high) / 2), zero);
    }

    /// <summary>Why the temperature is at an end of its range; null where it is inside.</summary>
    public string? EndOfRange =>
        Temperature <= Coldest * 1.001 ? "all or nearly all predictions that it was fitted to are right, so scaled probabilities are 0 or 1"
        : Temperature >= Hottest / 1.001
            ? "the probabilities that it was fitted to do not separate right predictions from wrong ones, so scaled ones are all alike"
        : null;

    /// <summary>The same predictions with scaled probabilities.</summary>
    public Predictions Apply(Predictions p)
    {
        var (scaled, logs) = (new float[p.Probabilities.Length], new double[p.ClassCount]);
        for (var i = 0; i < p.Count; i++)
        {
            LogRow(p.Row(i), Zero, logs);
            var sum = 0.0;
            for (var k = 0; k < logs.Length; k++)
                sum += Math.Exp(logs[k] / Temperature);
            for (var k = 0; k < logs.Length; k++)
                scaled[(i * p.ClassCount) + k] = (float)(Math.Exp(logs[k] / Temperature) / sum);
        }

        return p with
        {
            Probabilities = scaled,
        };
    }

    /// <summary>Derivative of the summed log-loss by b = 1 / T: the expected log-probability minus the true class's.</summary>
    private static double Slope(Predictions p, double zero, double b)
    {
        var (slope, logs) = (0.0, new double[p.ClassCount]);
        for (var i = 0; i < p.Count; i++)
        {
            LogRow(p.Row(i), zero, logs);
            var (sum, weighted) = (0.0, 0.0);
            foreach (var z in logs)
            {
                // No overflow: z is at most 0, the logarithm of a share of the largest probability.
                var e = Math.Exp(b * z);
                sum += e;
                weighted += e * z;
            }

            slope += (weighted / sum) - logs[p.Truth[i]];
        }

        return slope;
    }

    /// <summary>Logarithms of the probabilities over the largest.</summary>
    private static void LogRow(ReadOnlySpan<float> row, double zero, double[] logs)
    {
        double top = row[Predictions.ArgMax(row)];
        for (var k = 0; k < row.Length; k++)
            logs[k] = Math.Log((row[k] > 0 ? row[k] : zero) / top);
    }
}
