using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Linear;

/// <summary>Products of rows with rows in float64: G = X X^T, for when rows are fewer than values.</summary>
internal static class RowGram
{
    public static double[] Of(RowSet rows, TrainingContext context)
    {
        // The kernel multiplies columns with columns, so it gets the rows as columns.
        using var transposed = RowSet.Transpose(rows, context.Threads);
        var gram = new double[(long)rows.Count * rows.Count];
        GramMatrix<double>.Add(transposed, null, null, gram, context.Threads, context.Cancellation);
        return gram;
    }

    /// <summary>Turns products of rows into products of rows less their weighted mean.</summary>
    public static void Centre(double[] gram, int n, double[] weights)
    {
        var total = weights.Sum();
        var means = new double[n];
        var mean = 0.0;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
                means[i] += weights[j] * gram[(long)i * n + j];
            means[i] /= total;
            mean += weights[i] * means[i] / total;
        }

        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
                // (x - m).(y - m) = x.y - m.x - m.y + m.m, and all four follow from the products: no row is read again.
                gram[(long)i * n + j] += mean - means[i] - means[j];
        }
    }
}
