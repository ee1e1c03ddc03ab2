using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// Sum of losses of linear outputs plus half the squared length of the weights. Parameters are rows, one per output:
/// <see cref="RowSet.Length"/> weights, the bias, zeros up to <see cref="Stride"/>. One pass over the rows gives the loss and its gradient:
/// a block's outputs, their derivatives and their share of the gradient are made while the block is in the second-level cache. Along a
/// direction outputs are linear, so trying step lengths costs no pass.
/// </summary>
internal sealed unsafe partial class LinearObjective : ILinearObjective, IDisposable
{
    /// <param name="first">First of n rows.</param>
    /// <param name="partial">The chunk's sums, outputs x Stride, zero at its first block.</param>
    private delegate void BlockWork(int chunk, int first, int n, float* partial);

    private const int MostChunks = 32;
    private const int LeastChunkRows = 128;
    private const long MostPartialBytes = 256L << 20;

    private readonly RowSet _rows;
    private readonly MarginLoss _loss;
    private readonly int _threads;
    private readonly int _mostOutputs;
    private readonly int _blockRows;
    private readonly int _chunkRows;
    private readonly FloatBuffer _derivatives;
    private readonly FloatBuffer _scratch;
    private readonly FloatBuffer _partials;
    private readonly CancellationToken _cancellation;
    private int[] _classes = [];
    private int _outputs;
    private int _halves;

    /// <param name="outputs">The most outputs that are evaluated at once.</param>
    public LinearObjective(RowSet rows, MarginLoss loss, int outputs, int threads, CancellationToken cancellation)
    {
        (_rows, _loss, _mostOutputs, _threads, _cancellation) = (rows, loss, outputs, threads, cancellation);
        Stride = StrideOf(rows.Length);
        _blockRows = MatMul.RowsPerBlock(rows.Length, outputs);
        // Chunks follow from the rows and not from the threads, so their sums have the same bits. Each has sums of its
        // own, so many outputs leave room for few.
        var chunks = Math.Clamp(Blocks.Count(rows.Count, LeastChunkRows), 1, MostChunks);
        chunks = (int)Math.Max(1, Math.Min(chunks, MostPartialBytes / (4L * outputs * Stride)));
        _chunkRows = Math.Max(1, Blocks.Count(rows.Count, chunks));
        _derivatives = new((long)rows.Count * Pad(outputs));
        _scratch = new((long)ChunkCount * _blockRows * Pad(outputs));
        _partials = new((long)ChunkCount * outputs * Stride);
    }

    /// <summary>Distance between parameter rows, a multiple of 16.</summary>
    public int Stride { get; }

    public int Bias => _rows.Length;

    /// <summary>Sample weights, C included.</summary>
    public required LossWeights Weights { get; set; }

    /// <summary>1 when the bias is regularized as any weight (LIBLINEAR), 0 when it is free, null when there is none.</summary>
    public required double? BiasPenalty { get; init; }

    /// <summary>False for a part of the rows whose sums are added to others': then without the penalty.</summary>
    public bool Penalized { get; init; } = true;

    /// <summary>Factor of each row in the Hessian alone, for rows that stand for others; null for 1.</summary>
    public float[]? RowFactors { get; set; }

    public bool FreeBias => BiasPenalty == 0;

    public bool Separable => _loss.Separable;

    public ReadOnlySpan<int> Classes => _classes.AsSpan(0, _outputs);

    /// <summary>Passes over the rows so far.</summary>
    public int Passes => (_halves + 1) / 2;

    /// <summary>Multiply-adds of one pass.</summary>
    public double PassWork => 2.0 * _rows.Count * _rows.Length * _outputs;

    public RowSet Rows => _rows;

    private int ChunkCount => Blocks.Count(_rows.Count, _chunkRows);

    /// <summary>Distance between parameter rows of so many weights and a bias.</summary>
    public static int StrideOf(int weights) => Pad(weights + 1);

    /// <summary>Chooses the outputs (by class) that the parameter rows stand for.</summary>
    public void Select(ReadOnlySpan<int> classes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(classes.Length, _mostOutputs);
        _outputs = classes.Length;
        _arrived = false;
        _classes = new int[Pad(_outputs)];
        Array.Fill(_classes, -1);
        classes.CopyTo(_classes);
    }

    /// <param name="gradient">Null when only the values and the point for <see cref="HessianTimes"/> are wanted.</param>
    public void Evaluate(float* w, float* gradient, Span<double> values)
    {
        var wanted = gradient is not null;
        var zStride = Pad(_outputs);
        var losses = new double[ChunkCount * zStride];
        _halves += 2;
        (_arrived, _steps) = (_reached is not null, 0);
        ForBlocks(
            wanted,
            (chunk, i, n, partial) =>
            {
                var z = _derivatives.Pointer + (nint)i * zStride;
                Outputs(w, i, n, z, zStride);
                // Derivatives replace the outputs in place; with the copy the next direction needs no pass for them.
                if (_reached is not null)
                    FloatVectors.Copy(z, _reached.Pointer + (nint)i * zStride, (nint)n * zStride);
                Derivatives(z, i, n, losses, chunk);
                if (wanted)
                    AddGradient(z, zStride, i, n, partial);
            }
        );
        if (wanted)
            Sum(w, gradient);
        values.Clear();
        for (var chunk = 0; chunk < ChunkCount; chunk++)
        {
            for (var k = 0; k < values.Length; k++)
                values[k] += losses[chunk * zStride + k];
        }

        for (var k = 0; k < _outputs && Penalized; k++)
            values[values.Length == 1 ? 0 : k] += 0.5 * Penalty(w + (nint)k * Stride, w + (nint)k * Stride);
    }

    /// <summary>Product of the Hessian, at the point of the last <see cref="Evaluate"/>, with v.</summary>
    public void HessianTimes(float* v, float* product)
    {
        var zStride = Pad(_outputs);
        _halves += 2;
        ForBlocks(
            true,
            (chunk, i, n, partial) =>
            {
                var u = Scratch(chunk);
                Outputs(v, i, n, u, zStride);
                fixed (
                    int* labels = _rows.Labels,
                        classes = _classes
                )
                    _loss.Curvature(u, _derivatives.Pointer + (nint)i * zStride, zStride, n, labels + i, _outputs, classes, Weights);
                if (RowFactors is not null)
                    Scale(u, zStride, n, RowFactors.AsSpan(i));
                AddGradient(u, zStride, i, n, partial);
            }
        );
        Sum(v, product);
    }

    /// <summary>
    /// Each row's weight in the average, over the outputs, of the Hessians at the point of the last <see cref="Evaluate"/>.
    /// </summary>
    public float[] RowCurvatures()
    {
        var curvatures = new float[_rows.Count];
        var zStride = Pad(_outputs);
        Blocks.For(
            _rows.Count,
            _chunkRows,
            _threads,
            (_, start, end) =>
            {
                fixed (
                    int* labels = _rows.Labels,
                        classes = _classes
                )
                fixed (float* to = curvatures)
                    _loss.RowCurvatures(
                        _derivatives.Pointer + (nint)start * zStride,
                        zStride,
                        end - start,
                        labels + start,
                        _outputs,
                        classes,
                        Weights,
                        to + start
                    );
            }
        );
        if (RowFactors is not null)
            TensorPrimitives.Multiply(curvatures, RowFactors, curvatures);
        return curvatures;
    }

    public void Dispose()
    {
        _derivatives.Dispose();
        _scratch.Dispose();
        _reached?.Dispose();
        _partials.Dispose();
    }

    private static void Scale(float* u, int zStride, int n, ReadOnlySpan<float> factors)
    {
        for (var i = 0; i < n; i++)
        {
            var row = new Span<float>(u + (nint)i * zStride, zStride);
            TensorPrimitives.Multiply(row, factors[i], row);
        }
    }

    // 16 float32 values are a 512-bit register and a cache line, so rows of outputs need no remainder.
    private static int Pad(int count) => (count + 15) & -16;

    /// <summary>Works on the rows block by block, chunks of them in parallel.</summary>
    /// <param name="sums">Whether the chunks' sums are wanted: clearing them can cost as much as the rest.</param>
    private void ForBlocks(bool sums, BlockWork work) =>
        Blocks.For(
            _rows.Count,
            _chunkRows,
            _threads,
            (chunk, start, end) =>
            {
                var partial = _partials.Pointer + (nint)chunk * _outputs * Stride;
                if (sums)
                    new Span<float>(partial, _outputs * Stride).Clear();
                for (var i = start; i < end; i += _blockRows)
                    work(chunk, i, Math.Min(_blockRows, end - i), partial);
            },
            _cancellation
        );

    /// <summary>Room for a block's outputs.</summary>
    private float* Scratch(int chunk) => _scratch.Pointer + (nint)chunk * _blockRows * Pad(_outputs);

    /// <summary>Turns a block's outputs into derivatives and adds its losses to the chunk's.</summary>
    private void Derivatives(float* z, int first, int n, double[] losses, int chunk)
    {
        fixed (
            int* labels = _rows.Labels,
                classes = _classes
        )
        fixed (double* loss = &losses[chunk * Pad(_outputs)])
            _loss.Derivatives(z, Pad(_outputs), n, labels + first, _outputs, classes, Weights, loss);
    }

    private void Outputs(float* w, int first, int n, float* z, int zStride)
    {
        RowDotKernel<float>.Run(_rows.Rows + first, n, w, Stride, _outputs, _rows.Length, z, zStride);
        if (BiasPenalty is null)
            return;
        // The rows are the caller's and have no column of ones, so the bias is added behind the product.
        var bias = stackalloc float[16];
        for (var k = 0; k < _outputs; k += 16)
        {
            for (var j = 0; j < 16; j++)
                bias[j] = k + j < _outputs ? w[(nint)(k + j) * Stride + Bias] : 0;
            var add = Vector512.Load(bias);
            for (var i = 0; i < n; i++)
                (Vector512.Load(z + i * zStride + k) + add).Store(z + i * zStride + k);
        }
    }

    private void AddGradient(float* r, int zStride, int first, int n, float* partial)
    {
        ColumnSumKernel<float>.Run(r, zStride, _rows.Rows + first, n, _outputs, 0, _rows.Length, partial, Stride);
        if (BiasPenalty is null)
            return;
        for (var k = 0; k < _outputs; k += 16)
        {
            var sum = Vector512<float>.Zero;
            for (var i = 0; i < n; i++)
                sum += Vector512.Load(r + i * zStride + k);
            for (var j = 0; j < 16 && k + j < _outputs; j++)
                partial[(nint)(k + j) * Stride + Bias] += sum[j];
        }
    }

    /// <summary>Adds the chunks' partial sums in order, in double, and the regularization's part.</summary>
    private void Sum(float* w, float* result)
    {
        var (chunks, size) = (ChunkCount, (nint)_outputs * Stride);
        Blocks.For(
            _outputs,
            Math.Max(1, 16384 / Stride),
            _threads,
            (_, from, to) =>
            {
                for (var at = (nint)from * Stride; at < (nint)to * Stride; at += 16)
                {
                    var weights = Penalized ? Vector512.Load(w + at) : Vector512<float>.Zero;
                    var (low, high) = (Vector512.WidenLower(weights), Vector512.WidenUpper(weights));
                    for (var chunk = 0; chunk < chunks; chunk++)
                    {
                        var part = Vector512.Load(_partials.Pointer + chunk * size + at);
                        low += Vector512.WidenLower(part);
                        high += Vector512.WidenUpper(part);
                    }

                    Vector512.Narrow(low, high).Store(result + at);
                }

                for (var k = from; k < to; k++)
                {
                    // The bias was regularized above as a weight is.
                    var bias = (nint)k * Stride + Bias;
                    result[bias] =
                        BiasPenalty is not { } penalty ? 0
                        : Penalized ? (float)(result[bias] - (1 - penalty) * w[bias])
                        : result[bias];
                }
            }
        );
    }
}
