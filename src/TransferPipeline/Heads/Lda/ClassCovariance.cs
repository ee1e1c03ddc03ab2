using TransferPipeline.Heads.Kernels;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads.Lda;

/// <summary>The shrunk covariance of one class's vectors.</summary>
internal static unsafe class ClassCovariance
{
    /// <summary>A variance below this share of the squared mean is rounding.</summary>
    private const double ConstantShare = 1e-12;

    /// <summary>Adds factor times the shrunk covariance.</summary>
    /// <param name="shrinkage">Share of the mean variance, NaN for Ledoit and Wolf's on the standardized vectors.</param>
    public static void Add(RowSet rows, double[] mean, double shrinkage, double factor, double[] covariance, TrainingContext context)
    {
        var n = rows.Length;
        var products = new double[(long)n * n];
        GramMatrix<double>.Add(rows, mean, null, products, context.Threads, context.Cancellation);
        var scale = new double[n];
        var trace = 0.0;
        for (var d = 0; d < n; d++)
        {
            var variance = products[(long)d * n + d] / rows.Count;
            trace += variance;
            scale[d] = variance > ConstantShare * mean[d] * mean[d] && variance > 0 ? Math.Sqrt(variance) : 1;
        }

        // The target is the mean variance: of the vectors as they are, or of the standardized ones and then scaled back.
        var automatic = double.IsNaN(shrinkage);
        var target = trace / n;
        if (automatic)
            (shrinkage, target) = LedoitWolf(rows, mean, scale, products, context);
        Blocks.For(n, 32, context.Threads, (_, start, end) =>
        {
            for (var i = start; i < end; i++)
            {
                for (var j = 0; j < n; j++)
                    covariance[(long)i * n + j] += factor * (1 - shrinkage) / rows.Count * products[(long)i * n + j];
                covariance[(long)i * n + i] += factor * shrinkage * target * (automatic ? scale[i] * scale[i] : 1);
            }
        });
    }

    /// <summary>Share and mean variance after Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices".</summary>
    private static (double Share, double MeanVariance) LedoitWolf(RowSet rows, double[] mean, double[] scale, double[] products, TrainingContext context)
    {
        int n = rows.Length, count = rows.Count;
        if (n == 1)
            return (0, products[0] / (count * scale[0] * scale[0]));
        var squares = new double[n];
        var traces = new double[n];
        Blocks.For(n, 32, context.Threads, (_, start, end) =>
        {
            for (var i = start; i < end; i++)
            {
                for (var j = 0; j < n; j++)
                {
                    var correlation = products[(long)i * n + j] / (count * scale[i] * scale[j]);
                    squares[i] += correlation * correlation;
                }

                traces[i] = products[(long)i * n + i] / (count * scale[i] * scale[i]);
            }
        });
        var fourth = 0.0;
        for (var r = 0; r < count; r++)
        {
            var length = 0.0;
            for (var d = 0; d < n; d++)
            {
                var value = (rows.Rows[r][d] - mean[d]) / scale[d];
                length += value * value;
            }

            fourth += length * length;
        }

        var (square, trace) = (squares.Sum(), traces.Sum());
        var variance = trace / n;
        var beta = (fourth / count - square) / ((double)n * count);
        var delta = (square - 2 * variance * trace + n * variance * variance) / n;
        beta = Math.Min(beta, delta);
        return (beta > 0 ? beta / delta : 0, variance);
    }
}
