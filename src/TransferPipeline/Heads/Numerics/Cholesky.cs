namespace TransferPipeline.Heads.Numerics;

/// <summary>
/// Factor L of a symmetric positive definite matrix A = L L^T in float64, by block columns; the sums run along rows, where they are
/// contiguous.
/// </summary>
internal sealed unsafe class Cholesky
{
    // RowBlock x Panel products in float64 are 32 KB: they lie on the stack and stay in a first- or second-level cache.
    private const int Panel = 64;
    private const int RowBlock = 64;

    /// <summary>Right sides that pass together: the factor, which does not stay in a cache, is then read once for all of them.</summary>
    private const int Group = 5;

    private readonly double[] _factor;
    private readonly int _n;

    private Cholesky(double[] factor, int n) => (_factor, _n) = (factor, n);

    /// <summary>Factors a in place (its lower triangle).</summary>
    /// <returns>Null when a is not positive definite to working precision.</returns>
    public static Cholesky? Factor(double[] a, int n, int threads, CancellationToken cancellation = default)
    {
        fixed (double* pinned = a)
        {
            var start = (nint)pinned;
            // Left-looking, panel by panel. A task writes its own rows, and columns of the current panel only; it reads columns to the left
            // of it, which are final. So the sums have one order, whatever the number of threads.
            for (var j = 0; j < n; j += Panel)
            {
                var width = Math.Min(Panel, n - j);
                // 1. Subtract the products with all columns to the left, for the panel's own rows and those below.
                if (j > 0)
                {
                    var column = j;
                    Blocks.For(
                        n - j,
                        RowBlock,
                        threads,
                        (_, from, to) => Subtract((double*)start, n, column, width, column + from, to - from),
                        cancellation
                    );
                }

                // 2. The panel's diagonal block; it is the only serial step, n x Panel^2 / 3 operations in all.
                if (!Diagonal(pinned, n, j, width))
                    return null;
                // 3. The rows below, each by forward substitution with the diagonal block.
                var first = j + width;
                var panel = j;
                Blocks.For(
                    n - first,
                    RowBlock,
                    threads,
                    (_, from, to) =>
                    {
                        var i = first + from;
                        for (; i + 4 <= first + to; i += 4)
                            SolveFourRows((double*)start, n, panel, width, i);
                        for (; i < first + to; i++)
                            SolveRow((double*)start, n, panel, width, i);
                    },
                    cancellation
                );
            }
        }

        return new(a, n);
    }

    /// <summary>Solves A x = b in place for each of the rows of b (count x n).</summary>
    public void Solve(double[] b, int count, int threads) => ForGroups(b, count, threads, isWhole: true);

    /// <summary>Solves L^T x = b in place for each of the rows of b (count x n).</summary>
    public void SolveTransposed(double[] b, int count, int threads) => ForGroups(b, count, threads, isWhole: false);

    private void ForGroups(double[] b, int count, int threads, bool isWhole) =>
        Blocks.For(
            count,
            Group,
            threads,
            (_, from, to) =>
            {
                fixed (
                    double* l = _factor,
                        x = &b[(long)from * _n]
                )
                {
                    if (isWhole)
                        Forward(l, x, to - from);
                    Backward(l, x, to - from);
                }
            }
        );

    private static void Subtract(double* a, int n, int column, int width, int firstRow, int count)
    {
        var products = stackalloc double[RowBlock * Panel];
        var rows = stackalloc double*[RowBlock];
        for (var i = 0; i < count; i++)
            rows[i] = a + (nint)(firstRow + i) * n;
        RowDotKernel<double>.Run(rows, count, a + (nint)column * n, n, width, column, products, Panel);
        for (var i = 0; i < count; i++)
        {
            for (var k = 0; k < width; k++)
                rows[i][column + k] -= products[i * Panel + k];
        }
    }

    private static bool Diagonal(double* a, int n, int start, int width)
    {
        for (var i = start; i < start + width; i++)
        {
            var row = a + (nint)i * n;
            for (var j = start; j <= i; j++)
            {
                var other = a + (nint)j * n;
                var sum = row[j] - DoubleVectors.Dot(row + start, other + start, j - start);
                if (j < i)
                {
                    row[j] = sum / other[j];
                    continue;
                }

                // Negated, so that NaN also counts as not positive definite.
                if (!(sum > 0) || !double.IsFinite(sum))
                    return false;
                row[j] = Math.Sqrt(sum);
            }
        }

        return true;
    }

    private static void SolveRow(double* a, int n, int start, int width, int i)
    {
        var row = a + (nint)i * n;
        for (var j = start; j < start + width; j++)
        {
            var other = a + (nint)j * n;
            row[j] = (row[j] - DoubleVectors.Dot(row + start, other + start, j - start)) / other[j];
        }
    }

    /// <summary>The same for four rows, whose sums do not wait for each other: short sums are all latency.</summary>
    private static void SolveFourRows(double* a, int n, int start, int width, int i)
    {
        var sums = stackalloc double[4];
        var row = a + (nint)i * n;
        for (var j = start; j < start + width; j++)
        {
            var other = a + (nint)j * n;
            DoubleVectors.FourDots(row + start, n, other + start, j - start, sums);
            for (var r = 0; r < 4; r++)
                row[(nint)r * n + j] = (row[(nint)r * n + j] - sums[r]) / other[j];
        }
    }

    private void Forward(double* l, double* b, int count)
    {
        for (var i = 0; i < _n; i++)
        {
            for (var k = 0; k < count; k++)
            {
                var x = b + (nint)k * _n;
                x[i] = (x[i] - DoubleVectors.Dot(l + (nint)i * _n, x, i)) / l[(nint)i * _n + i];
            }
        }
    }

    private void Backward(double* l, double* b, int count)
    {
        // L^T x = b column by column: a column of L^T is a row of L, which is contiguous.
        for (var i = _n - 1; i >= 0; i--)
        {
            for (var k = 0; k < count; k++)
            {
                var x = b + (nint)k * _n;
                x[i] /= l[(nint)i * _n + i];
                DoubleVectors.AddScaled(x, -x[i], l + (nint)i * _n, i);
            }
        }
    }
}
