using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>
/// The average of the classes' shrunk covariances. Each class's share is found from products of its rows, which are fewer than its values
/// as a rule; then one pass over all rows, each around its class's mean and weighted by what its class keeps, makes the D x D matrix.
/// </summary>
internal static unsafe class ClassCovariance
{
    /// <summary>A variance below this share of the squared mean is rounding.</summary>
    private const double ConstantShare = 1e-12;

    private const int RowBlock = 32;

    /// <param name="means">Classes x D.</param>
    /// <param name="priors">Weight of each class.</param>
    /// <param name="shrinkage">Share of the mean variance, null for Ledoit and Wolf's on the standardized vectors.</param>
    public static double[] Pooled(RowSet rows, double[] means, double[] priors, double? shrinkage, TrainingContext context)
    {
        var (n, classes) = (rows.Length, priors.Length);
        var targets = new Target[classes];
        for (var k = 0; k < classes; k++)
        {
            using var ofClass = rows.OfClass(k);
            var mean = means.AsSpan(k * n, n).ToArray();
            var variances = Variances(ofClass, mean);
            targets[k] = shrinkage is { } share
                ? new(ofClass.Count, share, variances.Sum() / n, null)
                : LedoitWolf(ofClass, mean, variances, context);
        }

        // One or two rows per class show nothing of their scatter and leave the share at 0. Without any share the matrix is singular and a
        // solution
        // noise; nor is a variance of two rows one to divide by, so it is their mean that is left.
        if (shrinkage is null && rows.Count - classes < n && Array.TrueForAll(targets, t => t.Share == 0))
            return Pooled(rows, means, priors, 1, context);
        var covariance = new double[(long)n * n];
        GramMatrix<double>.AddByClass(
            rows,
            means,
            [.. targets.Zip(priors, (t, prior) => prior * (1 - t.Share) / t.Count)],
            covariance,
            context.Threads,
            context.Cancellation
        );
        for (var k = 0; k < classes; k++)
        {
            // The target was a multiple of the identity for standardized vectors; multiplied by their deviations it is
            // one for the vectors themselves.
            var (share, scale) = (priors[k] * targets[k].Share * targets[k].MeanVariance, targets[k].Scale);
            for (var d = 0; d < n; d++)
                covariance[(long)d * n + d] += share * (scale is null ? 1 : scale[d] * scale[d]);
        }

        return covariance;
    }

    private static double[] Variances(RowSet rows, double[] mean)
    {
        var variances = new double[mean.Length];
        for (var i = 0; i < rows.Count; i++)
        {
            for (var d = 0; d < mean.Length; d++)
                // Around the mean, in float64: a mean square less a squared mean would cancel.
                variances[d] += (rows.Rows[i][d] - mean[d]) * (rows.Rows[i][d] - mean[d]);
        }

        for (var d = 0; d < mean.Length; d++)
            variances[d] /= rows.Count;
        return variances;
    }

    /// <summary>
    /// Share and mean variance after Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices".
    /// </summary>
    private static Target LedoitWolf(RowSet rows, double[] mean, double[] variances, TrainingContext context)
    {
        var (n, count) = (rows.Length, rows.Count);
        var scale = new double[n];
        var trace = 0.0;
        for (var d = 0; d < n; d++)
        {
            scale[d] = variances[d] > ConstantShare * mean[d] * mean[d] && variances[d] > 0 ? Math.Sqrt(variances[d]) : 1;
            trace += variances[d] / (scale[d] * scale[d]);
        }

        var variance = trace / n;
        // A matrix of one value is its own target: every share gives the same.
        if (n == 1)
            return new(count, 0, variance, scale);
        // The Frobenius norm is that of either product, of rows or of columns: the smaller one is computed.
        var (square, fourth) = count <= n ? ByRows(rows, mean, scale, context) : ByValues(rows, mean, scale, context);
        // As scikit-learn's ledoit_wolf_shrinkage, with the two sums in place of its blocks.
        var beta = (fourth / count - square) / ((double)n * count);
        var delta = (square - 2 * variance * trace + n * variance * variance) / n;
        beta = Math.Min(beta, delta);

        // Of two rows nothing but rounding is left.
        return new(count, count > 2 && beta > 0 ? beta / delta : 0, variance, scale);
    }

    /// <summary>
    /// Squared Frobenius norm of the standardized vectors' covariance, and the sum of their lengths to the fourth: from products of rows
    /// with rows.
    /// </summary>
    private static (double Square, double Fourth) ByRows(RowSet rows, double[] mean, double[] scale, TrainingContext context)
    {
        var (n, count) = (rows.Length, rows.Count);
        var standardized = new double[(long)count * n];
        var blocks = Blocks.Count(count, RowBlock);
        Blocks.For(
            count,
            RowBlock,
            context.Threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                {
                    for (var d = 0; d < n; d++)
                        standardized[(long)i * n + d] = (rows.Rows[i][d] - mean[d]) / scale[d];
                }
            }
        );
        var (squares, fourths) = (new double[blocks], new double[blocks]);
        Blocks.For(
            count,
            RowBlock,
            context.Threads,
            (block, start, end) =>
            {
                // The block's rows with themselves and all rows after them; the latter count twice.
                var width = count - start;
                var products = new double[(end - start) * width];
                var addresses = stackalloc double*[RowBlock];
                fixed (
                    double* z = standardized,
                        to = products
                )
                {
                    for (var i = start; i < end; i++)
                        addresses[i - start] = z + (nint)i * n;
                    RowDotKernel<double>.Run(addresses, end - start, z + (nint)start * n, n, width, n, to, width);
                }

                for (var i = 0; i < end - start; i++)
                {
                    for (var j = i; j < width; j++)
                    {
                        var square = products[i * width + j] * products[i * width + j];
                        squares[block] += i == j ? square : 2 * square;
                        // A product of a row with itself is its squared length.
                        fourths[block] += i == j ? square : 0;
                    }
                }
            },
            context.Cancellation
        );
        return (squares.Sum() / ((double)count * count), fourths.Sum());
    }

    /// <summary>The same from products of columns, for when rows are more than values.</summary>
    private static (double Square, double Fourth) ByValues(RowSet rows, double[] mean, double[] scale, TrainingContext context)
    {
        var (n, count) = (rows.Length, rows.Count);
        var products = new double[(long)n * n];
        GramMatrix<double>.AddUpper(rows, mean, null, products, context.Threads, context.Cancellation);
        var squares = new double[n];
        Blocks.For(
            n,
            RowBlock,
            context.Threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                {
                    for (var j = i; j < n; j++)
                    {
                        // Scaled after the product: standardized rows would be a copy of all of them.
                        var correlation = products[(long)i * n + j] / (count * scale[i] * scale[j]);
                        squares[i] += (i == j ? 1 : 2) * correlation * correlation;
                    }
                }
            }
        );
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

        return (squares.Sum(), fourth);
    }

    /// <summary>
    /// What a class's covariance is drawn towards: the mean variance, of the vectors as they are or of the standardized ones and then
    /// scaled back.
    /// </summary>
    /// <param name="Count">Rows of the class.</param>
    /// <param name="Share">Weight of the target.</param>
    /// <param name="Scale">D standard deviations; null when the vectors are not standardized.</param>
    private sealed record Target(int Count, double Share, double MeanVariance, double[]? Scale);
}
