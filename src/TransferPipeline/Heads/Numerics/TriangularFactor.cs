namespace TransferPipeline.Heads.Numerics;

/// <summary>
/// A Cholesky factor in float32 that solves for many right sides at the speed of a matrix product: it is kept by rows and by columns, and
/// the blocks on its diagonal are inverted once.
/// </summary>
internal sealed unsafe class TriangularFactor : IDisposable
{
    private const int Panel = 48;

    /// <summary>Right sides a task solves together: each row of the factor is then read once for all of them.</summary>
    private const int Group = 20;

    // 16 float32 values are a cache line: a block of 16 x 16 fills whole lines of both copies.
    private const int TransposeBlock = 16;

    private readonly FloatBuffer _lower;
    private readonly FloatBuffer _upper;
    private readonly FloatBuffer _inverses;
    private readonly FloatBuffer _transposedInverses;
    private readonly int _n;
    private readonly int _stride;

    /// <param name="factor">n x n, lower triangle used.</param>
    /// <param name="stride">Distance of right sides.</param>
    public TriangularFactor(double[] factor, int n, int stride, int threads)
    {
        (_n, _stride) = (n, stride);
        (_lower, _upper) = (new((long)n * stride), new((long)n * stride));
        (_inverses, _transposedInverses) = (
            new((long)Blocks.Count(n, Panel) * Panel * Panel),
            new((long)Blocks.Count(n, Panel) * Panel * Panel)
        );
        Blocks.For(
            n,
            TransposeBlock,
            threads,
            (_, start, end) =>
            {
                // Locals: in the inner loop the compiler would read the fields again for each value.
                float* lower = _lower.Pointer,
                    upper = _upper.Pointer;
                fixed (double* from = factor)
                {
                    for (var j = 0; j < end; j += TransposeBlock)
                    {
                        for (var i = start; i < end; i++)
                        {
                            double* row = from + (nint)i * n;
                            var to = lower + (nint)i * stride;
                            var last = Math.Min(j + TransposeBlock, i + 1);
                            for (var c = j; c < last; c++)
                                to[c] = upper[(nint)c * stride + i] = (float)row[c];
                        }
                    }
                }
            }
        );
        Blocks.For(n, Panel, threads, (panel, start, end) => Invert(factor, n, start, end - start, panel));
    }

    /// <summary>Solves L L^T to = from for <paramref name="count"/> rows.</summary>
    public void Solve(float* from, float* to, int count, int threads)
    {
        var (source, target) = ((nint)from, (nint)to);
        Blocks.For(
            count,
            Math.Clamp(Blocks.Count(count, 2), 1, Group),
            threads,
            (_, start, end) =>
            {
                // 1. L y = b from the first panel to the last. 2. L^T x = y from the last panel to the first.
                // Both read along rows: of L and of the transposed copy.
                var x = (float*)target + (nint)start * _stride;
                FloatVectors.Copy((float*)source + (nint)start * _stride, x, (nint)(end - start) * _stride);
                for (var p = 0; p < _n; p += Panel)
                    SolvePanel(x, end - start, _lower.Pointer, _inverses.Pointer, p, 0, p);
                for (var p = (Blocks.Count(_n, Panel) - 1) * Panel; p >= 0; p -= Panel)
                    SolvePanel(x, end - start, _upper.Pointer, _transposedInverses.Pointer, p, p + Panel, _n);
            }
        );
    }

    public void Dispose()
    {
        _lower.Dispose();
        _upper.Dispose();
        _inverses.Dispose();
        _transposedInverses.Dispose();
    }

    /// <summary>
    /// Subtracts the known values' part, from <paramref name="knownStart"/> to <paramref name="knownEnd"/>, then applies the diagonal
    /// block's inverse.
    /// </summary>
    private void SolvePanel(float* x, int count, float* factor, float* inverses, int p, int knownStart, int knownEnd)
    {
        var width = Math.Min(Panel, _n - p);
        var products = stackalloc float[Group * Panel];
        var rows = stackalloc float*[Group];
        if (knownEnd > knownStart)
        {
            for (var k = 0; k < count; k++)
                rows[k] = x + (nint)k * _stride + knownStart;
            RowDotKernel<float>.Run(
                rows,
                count,
                factor + (nint)p * _stride + knownStart,
                _stride,
                width,
                knownEnd - knownStart,
                products,
                Panel
            );
            for (var k = 0; k < count; k++)
                FloatVectors.AddScaled(x + (nint)k * _stride + p, -1, products + k * Panel, width);
        }

        for (var k = 0; k < count; k++)
            rows[k] = x + (nint)k * _stride + p;
        // The product reads the panel's values in full before any is replaced, hence the buffer. The inverse's other triangle is 0.
        RowDotKernel<float>.Run(rows, count, inverses + (nint)(p / Panel) * Panel * Panel, Panel, width, width, products, Panel);
        for (var k = 0; k < count; k++)
            FloatVectors.Copy(products + k * Panel, rows[k], width);
    }

    private void Invert(double[] factor, int n, int start, int width, int panel)
    {
        // Forward substitution with unit vectors in float64; the inverse is rounded to float32 once.
        var inverse = new double[Panel * Panel];
        for (var i = 0; i < width; i++)
        {
            var row = (long)(start + i) * n + start;
            for (var j = 0; j <= i; j++)
            {
                var sum = i == j ? 1.0 : 0.0;
                for (var k = j; k < i; k++)
                    sum -= factor[row + k] * inverse[k * Panel + j];
                inverse[i * Panel + j] = sum / factor[row + i];
            }
        }

        var at = (nint)panel * Panel * Panel;
        for (var i = 0; i < width; i++)
        {
            for (var j = 0; j <= i; j++)
                _inverses.Pointer[at + i * Panel + j] = _transposedInverses.Pointer[at + j * Panel + i] = (float)inverse[i * Panel + j];
        }
    }
}
