using System.Numerics.Tensors;

namespace TransferPipeline.Heads.Numerics;

/// <summary>
/// Householder's reduction A = Q T Q^T of a symmetric matrix, T tridiagonal: every shifted system (A + a I) x = b then costs n
/// multiply-adds once b is rotated. The update by the last reflection and the product with the next one share one sweep over the matrix,
/// which is what such a reduction waits for.
/// </summary>
internal sealed unsafe class TridiagonalForm
{
    private const int RowBlock = 32;

    private TridiagonalForm(double[] diagonal, double[] below, double[] rotation) =>
        (Diagonal, Below, Rotation) = (diagonal, below, rotation);

    public double[] Diagonal { get; }

    /// <summary>n values: entry i couples i and i + 1; the last is 0.</summary>
    public double[] Below { get; }

    /// <summary>Q transposed, n x n: its rows rotate vectors.</summary>
    public double[] Rotation { get; }

    /// <param name="a">n x n symmetric, full; destroyed.</param>
    public static TridiagonalForm Reduce(double[] a, int n, int threads, CancellationToken cancellation = default)
    {
        var (diagonal, below) = (new double[n], new double[n]);
        var reflections = new double[n][];
        double[] v = [],
            w = [];
        // Golub and Van Loan 2013, section 8.3.1. The matrix is one update behind: reflection k - 1 is applied in the pass that multiplies
        // by reflection k. A task owns rows, and a row's product is one sum, so results do not depend on threads.
        for (var k = 0; k < n; k++)
        {
            // Row k of the remaining matrix, with the last reflection's update.
            var row = a.AsSpan(k * n, n);
            if (v.Length > 0)
                Update(row[k..], v.AsSpan(k), w.AsSpan(k), v[k], w[k]);
            diagonal[k] = row[k];
            if (k == n - 1)
                break;
            var next = new double[n];
            row[(k + 1)..].CopyTo(next.AsSpan(k + 1));
            var (norm, tail) = (TensorPrimitives.Norm<double>(next), k + 2 < n ? TensorPrimitives.Norm<double>(next.AsSpan(k + 2)) : 0);
            // With nothing but zeros behind the first value the row is tridiagonal already; a reflection would divide by 0.
            if (tail > 0)
            {
                // The sign opposite to the value's: their difference does not cancel. Scaled to |v|^2 = 2, the reflection is I - v v^T.
                below[k] = next[k + 1] > 0 ? -norm : norm;
                next[k + 1] -= below[k];
                TensorPrimitives.Multiply(next, Math.Sqrt(2) / TensorPrimitives.Norm<double>(next), next);
            }
            else
            {
                below[k] = next[k + 1];
                next = [];
            }

            reflections[k] = next;
            var (oldV, oldW, newV, from) = (v, w, next, k + 1);
            var product = new double[n];
            Blocks.For(
                n - from,
                RowBlock,
                threads,
                (_, start, end) =>
                {
                    for (var i = from + start; i < from + end; i++)
                    {
                        var current = a.AsSpan(i * n + from, n - from);
                        if (oldV.Length > 0)
                            Update(current, oldV.AsSpan(from), oldW.AsSpan(from), oldV[i], oldW[i]);
                        if (newV.Length > 0)
                            product[i] = TensorPrimitives.Dot<double>(current, newV.AsSpan(from));
                    }
                },
                cancellation
            );
            (v, w) = (newV, product);
            if (v.Length > 0)
            {
                // A - v w^T - w v^T with w = A v - (v.A v / 2) v, since |v|^2 = 2.
                var half = 0.5 * TensorPrimitives.Dot<double>(v, w);
                TensorPrimitives.MultiplyAdd(v, -half, w, w);
            }
        }

        return new(diagonal, below, Accumulate(reflections, n, threads));
    }

    /// <summary>Pivots d and multipliers l of T + shift I = L D L^T; false when a pivot is not positive.</summary>
    public bool Factor(double shift, double[] pivots, double[] multipliers)
    {
        for (var i = 0; i < pivots.Length; i++)
        {
            pivots[i] = Diagonal[i] + shift - (i > 0 ? multipliers[i - 1] * Below[i - 1] : 0);
            if (!(pivots[i] > 0))
                return false;
            multipliers[i] = Below[i] / pivots[i];
        }

        return true;
    }

    private static void Update(Span<double> row, ReadOnlySpan<double> v, ReadOnlySpan<double> w, double vi, double wi)
    {
        TensorPrimitives.MultiplyAdd(w, -vi, row, row);
        TensorPrimitives.MultiplyAdd(v, -wi, row, row);
    }

    /// <summary>
    /// Rows of Q^T = H(n-2) ... H(0): each row of Q^T's transpose is reflected in turn, so blocks of columns are independent.
    /// </summary>
    private static double[] Accumulate(double[][] reflections, int n, int threads)
    {
        // Q = H0 H1 ...; column i of Q^T is row i of Q, that is e_i^T H0 H1 ...
        var q = new double[n * n];
        Blocks.For(
            n,
            RowBlock,
            threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                    q[i * n + i] = 1;
                for (var k = 0; k < n - 1; k++)
                {
                    if (reflections[k].Length == 0)
                        continue;
                    var v = reflections[k].AsSpan(k + 1);
                    for (var i = start; i < end; i++)
                    {
                        var row = q.AsSpan(i * n + k + 1, n - k - 1);
                        TensorPrimitives.MultiplyAdd(v, -TensorPrimitives.Dot<double>(row, v), row, row);
                    }
                }
            }
        );
        var rotation = new double[n * n];
        Blocks.For(
            n,
            RowBlock,
            threads,
            (_, start, end) =>
            {
                for (var j = start; j < end; j++)
                {
                    for (var i = 0; i < n; i++)
                        rotation[j * n + i] = q[i * n + j];
                }
            }
        );
        return rotation;
    }
}
