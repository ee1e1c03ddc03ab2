namespace TransferPipeline.Evaluation;

/// <summary>Temperature scaling (Guo et al. 2017) of log-probabilities; for heads whose probabilities are a softmax of scores the same as of the scores.</summary>
internal static class TemperatureScaling
{
    // What log_loss clips to, so that a temperature is judged by the loss that is reported; votes of neighbours can be zero.
    private const double LeastProbability = Metrics.LeastProbability;
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
        var scaled = new float[p.Probabilities.Length];
        for (var i = 0; i < p.Count; i++)
        {
            var row = p.Row(i);
            var target = scaled.AsSpan(i * p.ClassCount, p.ClassCount);
            var top = Log(row[Predictions.ArgMax(row)]);
            var sum = 0.0;
            for (var k = 0; k < row.Length; k++)
                sum += Math.Exp((Log(row[k]) - top) / temperature);
            for (var k = 0; k < row.Length; k++)
                target[k] = (float)(Math.Exp((Log(row[k]) - top) / temperature) / sum);
        }

        return p with { Probabilities = scaled };
    }

    /// <summary>Derivative of the summed log-loss by b = 1 / T: the expected log-probability minus the true class's.</summary>
    private static double Slope(Predictions p, double b)
    {
        var slope = 0.0;
        for (var i = 0; i < p.Count; i++)
        {
            var row = p.Row(i);
            var top = Log(row[Predictions.ArgMax(row)]);
            var (sum, weighted) = (0.0, 0.0);
            foreach (var probability in row)
            {
                var z = Log(probability) - top;
                var e = Math.Exp(b * z);
                sum += e;
                weighted += e * z;
            }

            slope += (weighted / sum) - (Log(row[p.Truth[i]]) - top);
        }

        return slope;
    }

    private static double Log(float probability) => Math.Log(Math.Max(probability, LeastProbability));
}
