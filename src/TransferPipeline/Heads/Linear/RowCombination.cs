using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>Combinations of rows in float64: result[k, d] = sum over rows of factors[i, k] * (x_i[d] - shift[d]).</summary>
internal static unsafe class RowCombination
{
    private const int ColumnBlock = 256;
    private const int RowBlock = 64;

    /// <param name="factors">rows.Count x outputs.</param>
    /// <returns>outputs x rows.Length.</returns>
    public static double[] Of(RowSet rows, double[] factors, int outputs, double[]? shift, int threads)
    {
        var length = rows.Length;
        var result = new double[(long)outputs * length];
        Blocks.For(
            length,
            ColumnBlock,
            threads,
            (_, start, end) =>
            {
                // Converted block by block: in float64 all rows would take twice their memory.
                var converted = new double[RowBlock * ColumnBlock];
                var addresses = stackalloc double*[RowBlock];
                fixed (
                    double* to = converted,
                        p = factors,
                        g = result,
                        shifts = shift
                )
                {
                    for (var i = 0; i < RowBlock; i++)
                        addresses[i] = to + i * ColumnBlock;
                    for (var first = 0; first < rows.Count; first += RowBlock)
                    {
                        var n = Math.Min(RowBlock, rows.Count - first);
                        for (var i = 0; i < n; i++)
                            GramMatrix<double>.Convert(rows.Rows[first + i], shifts, start, end, 1, addresses[i]);

                        ColumnSumKernel<double>.Run(
                            p + (nint)first * outputs,
                            outputs,
                            addresses,
                            n,
                            outputs,
                            0,
                            end - start,
                            g + start,
                            length
                        );
                    }
                }
            }
        );
        return result;
    }
}
