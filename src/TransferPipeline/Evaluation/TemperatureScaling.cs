namespace TransferPipeline.Evaluation;

/// <summary>Temperature scaling (Guo et al. 2017) of log-probabilities; for heads whose probabilities are a softmax of scores the same as of the scores.</summary>
internal static class TemperatureScaling
{
    private const double Coldest = 1e-3;
    private const double Hottest = 1e3;

    /// <summary>The temperature of least log-loss: convex in 1 / T, so the root of the derivative is found by halving.</summary>
    public static double Fit(Predictions p)
    {
        var (low, high) = (Math.Log(1 / Hottest), Math.Log(1 / Coldest));
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Slope(p, Math.Exp(middle)) < 0 ? (middle, high) : (low, middle);
        }

        return Math.Exp(-(low + high) / 2);
    }

    /// <summary>The same predictions with probabilities to the power 1 / T, normalized.</summary>
    public static Predictions Apply(Predictions p, double temperature)
    {
        var (scaled, logs) = (new float[p.Probabilities.Length], new double[p.ClassCount]);
        for (var i = 0; i < p.Count; i++)
        {
            LogRow(p.Row(i), logs);
            var sum = 0.0;
            for (var k = 0; k < logs.Length; k++)
                sum += Math.Exp(logs[k] / temperature);
            for (var k = 0; k < logs.Length; k++)
                scaled[(i * p.ClassCount) + k] = (float)(Math.Exp(logs[k] / temperature) / sum);
        }

        return p with { Probabilities = scaled };
    }

    /// <summary>Derivative of the summed log-loss by b = 1 / T: the expected log-probability minus the true class's.</summary>
    private static double Slope(Predictions p, double b)
    {
        var (slope, logs) = (0.0, new double[p.ClassCount]);
        for (var i = 0; i < p.Count; i++)
        {
            LogRow(p.Row(i), logs);
            var (sum, weighted) = (0.0, 0.0);
            foreach (var z in logs)
            {
                var e = Math.Exp(b * z);
                sum += e;
                weighted += e * z;
            }

            slope += (weighted / sum) - logs[p.Truth[i]];
        }

        return slope;
    }

    /// <summary>
    /// Logarithms of the probabilities over the largest. A zero, as votes of neighbours give it, counts as what log_loss clips it to, or as
    /// the smallest of the others where that is less.
    /// </summary>
    private static void LogRow(ReadOnlySpan<float> row, double[] logs)
    {
        var zero = Metrics.LeastProbability;
        foreach (var probability in row)
            zero = probability > 0 ? Math.Min(zero, probability) : zero;
        double top = row[Predictions.ArgMax(row)];
        for (var k = 0; k < row.Length; k++)
            logs[k] = Math.Log((row[k] > 0 ? row[k] : zero) / top);
    }
}
