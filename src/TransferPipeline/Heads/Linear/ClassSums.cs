using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// Weighted sums of the rows of each class, in float64: with the Gram matrix all that ridge, lda and nearest-mean need to know of the data.
/// </summary>
internal sealed class ClassSums
{
    private const int ColumnBlock = 512;

    public ClassSums(int dimension, double[] weights, double[][] sums) => (Dimension, Weights, Sums) = (dimension, weights, sums);

    public int Dimension { get; }

    /// <summary>Total weight of each class.</summary>
    public double[] Weights { get; }

    /// <summary>Weighted sum of each class's rows, D values each.</summary>
    public double[][] Sums { get; }

    public double TotalWeight => Weights.Sum();

    /// <summary>Weighted mean of all rows.</summary>
    public double[] Mean()
    {
        var (mean, total) = (new double[Dimension], TotalWeight);
        for (var d = 0; d < Dimension; d++)
        {
            foreach (var sum in Sums)
                mean[d] += sum[d];
            mean[d] /= total;
        }

        return mean;
    }

    /// <summary>Mean of one class.</summary>
    public double[] Mean(int k) => Array.ConvertAll(Sums[k], s => s / Weights[k]);

    public static unsafe ClassSums Of(RowSet rows, int classCount, float[]? classWeights, int threads, CancellationToken cancellation)
    {
        // Each piece of columns is summed over all rows in order, so that nothing depends on threads.
        var dimension = rows.Length;
        var sums = new double[classCount][];
        for (var k = 0; k < classCount; k++)
            sums[k] = new double[dimension];
        var weights = new double[classCount];
        foreach (var label in rows.Labels)
            weights[label] += classWeights?[label] ?? 1;
        Blocks.For(
            dimension,
            ColumnBlock,
            threads,
            (_, start, end) =>
            {
                for (var i = 0; i < rows.Count; i++)
                {
                    fixed (double* sum = sums[rows.Labels[i]])
                        FloatVectors.AddScaled(sum + start, 1, rows.Rows[i] + start, end - start);
                }

                // Sums first, weights last: one product per class and column instead of one per row.
                if (classWeights is null)
                    return;
                for (var k = 0; k < classCount; k++)
                {
                    for (var d = start; d < end; d++)
                        sums[k][d] *= classWeights[k];
                }
            },
            cancellation
        );
        return new(dimension, weights, sums);
    }
}
