using TransferPipeline.Features;
using TransferPipeline.Heads.Kernels;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Scaling;

namespace TransferPipeline.Heads.Streaming;

/// <summary>
/// The objective of <see cref="LinearObjective"/> over streamed rows: each block is an objective of its own, their sums are added in order.
/// Nothing is kept of a block, so a product with the Hessian computes the block's outputs at the current point again.
/// </summary>
internal sealed unsafe class StreamingObjective(IRowStream stream, FeatureScaling scaling, MarginLoss loss, int outputs, TrainingContext context)
    : ILinearObjective, IDisposable
{
    private readonly FloatBuffer _point = new((long)outputs * ((stream.Columns + 16) & -16));
    private readonly int[] _labels = [.. stream.Labels];
    private int[] _classes = [];

    public int Stride { get; } = (stream.Columns + 16) & -16;

    public bool Separable => loss.Separable;

    public int Passes { get; private set; }

    public required LossWeights Weights { get; init; }

    public required double BiasPenalty { get; init; }

    public void Select(ReadOnlySpan<int> classes) => _classes = classes.ToArray();

    public void Evaluate(float* w, float* gradient, Span<double> values)
    {
        FloatVectors.Copy(w, _point.Pointer, (nint)_classes.Length * Stride);
        var sums = new double[values.Length];
        var part = new double[values.Length];
        Sum(w, gradient, (objective, partial) =>
        {
            objective.Evaluate(_point.Pointer, (float*)partial, part);
            for (var i = 0; i < sums.Length; i++)
                sums[i] += part[i];
        });
        for (var k = 0; k < _classes.Length; k++)
        {
            var row = w + (nint)k * Stride;
            var square = FloatVectors.Dot(row, row, stream.Columns);
            if (!double.IsNaN(BiasPenalty))
                square += BiasPenalty * row[stream.Columns] * row[stream.Columns];
            sums[sums.Length == 1 ? 0 : k] += 0.5 * square;
        }

        sums.CopyTo(values);
    }

    public void HessianTimes(float* v, float* product)
    {
        var direction = (nint)v;
        var values = new double[Separable ? _classes.Length : 1];
        Sum(v, product, (objective, partial) =>
        {
            objective.Evaluate(_point.Pointer, null, values);
            objective.HessianTimes((float*)direction, (float*)partial);
        });
    }

    public void Dispose() => _point.Dispose();

    /// <summary>One pass: adds what <paramref name="part"/> leaves for each block, and the penalty's share of w.</summary>
    private void Sum(float* w, float* result, Action<LinearObjective, nint> part)
    {
        var size = (nint)_classes.Length * Stride;
        using var partial = new FloatBuffer(size);
        var sums = new double[size];
        Passes++;
        stream.Read((block, first, count) =>
        {
            var rows = Rows(block, first, count);
            using var objective = new LinearObjective(rows, loss, _classes.Length, context.Threads, context.Cancellation)
            {
                Weights = Weights,
                BiasPenalty = BiasPenalty,
                Penalized = false,
            };
            objective.Select(_classes);
            part(objective, (nint)partial.Pointer);
            for (nint i = 0; i < sums.Length; i++)
                sums[i] += partial.Pointer[i];
        });
        for (nint i = 0; i < size; i++)
        {
            var penalty = i % Stride == stream.Columns ? BiasPenalty : 1;
            result[i] = double.IsNaN(penalty) ? 0 : (float)(sums[i] + penalty * w[i]);
        }
    }

    private RowSet Rows(FeatureMatrix block, int first, int count)
    {
        int[] numbers = [.. Enumerable.Range(0, count)];
        if (scaling.Kind != ScalingKind.None)
        {
            Blocks.For(count, 256, context.Threads, (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                    scaling.Apply(block.Row(i), block.Row(i));
            });
        }

        return RowSet.View(block, numbers, _labels.AsSpan(first, count));
    }
}
