using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// The objective of <see cref="LinearObjective"/> over streamed rows: each block is an objective of its own, their sums are added in order.
/// Nothing is kept of a block, so each step length that is tried is a pass.
/// </summary>
internal sealed unsafe class StreamingObjective(
    IRowStream stream,
    FeatureScaling scaling,
    MarginLoss loss,
    int outputs,
    TrainingContext context
) : ILinearObjective, IDisposable
{
    private readonly FloatBuffer _point = new((long)outputs * LinearObjective.StrideOf(stream.Columns));
    private readonly FloatBuffer _from = new((long)outputs * LinearObjective.StrideOf(stream.Columns));
    private readonly FloatBuffer _direction = new((long)outputs * LinearObjective.StrideOf(stream.Columns));
    private readonly FloatBuffer _trial = new((long)outputs * LinearObjective.StrideOf(stream.Columns));
    private readonly FloatBuffer _gradient = new((long)outputs * LinearObjective.StrideOf(stream.Columns));
    private readonly int[] _labels = [.. stream.Labels];
    private int[] _classes = [];

    public int Stride { get; } = LinearObjective.StrideOf(stream.Columns);

    public bool FreeBias => BiasPenalty == 0;

    public bool Separable => loss.Separable;

    public ReadOnlySpan<int> Classes => _classes;

    public int Passes { get; private set; }

    public required LossWeights Weights { get; init; }

    public required double? BiasPenalty { get; init; }

    /// <summary>Each probe is a pass: any length that leaves less of the slope will do.</summary>
    public double SlopeShare => 0.8;

    public void Keep(ReadOnlySpan<int> outputs) => _classes = Array.ConvertAll(outputs.ToArray(), k => _classes[k]);

    public void Select(ReadOnlySpan<int> classes) => _classes = classes.ToArray();

    public void Evaluate(float* w, float* gradient, Span<double> values)
    {
        FloatVectors.Copy(w, _point.Pointer, (nint)_classes.Length * Stride);
        var sums = new double[values.Length];
        var part = new double[values.Length];
        Sum(
            w,
            gradient,
            (objective, partial) =>
            {
                objective.Evaluate(_point.Pointer, (float*)partial, part);
                for (var i = 0; i < sums.Length; i++)
                    sums[i] += part[i];
            }
        );
        // The penalty is added once, for all blocks, whose objectives leave it out.
        for (var k = 0; k < _classes.Length; k++)
        {
            var row = w + (nint)k * Stride;
            var square = FloatVectors.Dot(row, row, stream.Columns);
            if (BiasPenalty is { } penalty)
                square += penalty * row[stream.Columns] * row[stream.Columns];
            sums[sums.Length == 1 ? 0 : k] += 0.5 * square;
        }

        sums.CopyTo(values);
    }

    public void SetDirection(float* w, float* direction)
    {
        var size = (nint)_classes.Length * Stride;
        FloatVectors.Copy(w, _from.Pointer, size);
        FloatVectors.Copy(direction, _direction.Pointer, size);
    }

    public void EvaluateAt(ReadOnlySpan<double> lengths, Span<double> values, Span<double> slopes)
    {
        var rows = _classes.Length / lengths.Length;
        for (var k = 0; k < _classes.Length; k++)
        {
            var at = (nint)k * Stride;
            FloatVectors.Copy(_from.Pointer + at, _trial.Pointer + at, Stride);
            FloatVectors.AddScaled(_trial.Pointer + at, lengths[k / rows], _direction.Pointer + at, Stride);
        }

        // The pass for the value gives the gradient too, so MoveTo has nothing to compute.
        Evaluate(_trial.Pointer, _gradient.Pointer, values);
        for (var g = 0; g < lengths.Length; g++)
        {
            var at = (nint)g * rows * Stride;
            slopes[g] = FloatVectors.Dot(_gradient.Pointer + at, _direction.Pointer + at, rows * Stride);
        }
    }

    public void MoveTo(float* w, float* gradient) => FloatVectors.Copy(_gradient.Pointer, gradient, (nint)_classes.Length * Stride);

    public void Dispose()
    {
        foreach (var buffer in new[] { _point, _from, _direction, _trial, _gradient })
            buffer.Dispose();
    }

    /// <summary>
    /// One pass that shows each block of scaled vectors, the number of the first and what each weighs in the average Hessian at w.
    /// </summary>
    public void ReadCurvatures(float* w, Action<FeatureMatrix, int, float[]> see)
    {
        var (point, values) = ((nint)w, new double[Separable ? _classes.Length : 1]);
        Read(
            (objective, block, first) =>
            {
                objective.Evaluate((float*)point, null, values);
                see(block, first, objective.RowCurvatures());
            }
        );
    }

    /// <summary>One pass: adds what <paramref name="part"/> leaves for each block, and the penalty's share of w.</summary>
    private void Sum(float* w, float* result, Action<LinearObjective, nint> part)
    {
        var size = (nint)_classes.Length * Stride;
        using var partial = new FloatBuffer(size);
        // In float64: each block's sum is rounded to float32, and there may be hundreds of blocks.
        var sums = new double[size];
        Read(
            (objective, _, _) =>
            {
                part(objective, (nint)partial.Pointer);
                for (nint i = 0; i < sums.Length; i++)
                    sums[i] += partial.Pointer[i];
            }
        );
        for (nint i = 0; i < size; i++)
        {
            var penalty = i % Stride == stream.Columns ? BiasPenalty : 1;
            result[i] = penalty is { } factor ? (float)(sums[i] + factor * w[i]) : 0;
        }
    }

    private void Read(Action<LinearObjective, FeatureMatrix, int> see)
    {
        Passes++;
        stream.Read(
            (block, first, count) =>
            {
                using var rows = Rows(block, first, count);
                // For one block only: its rows are addresses into a matrix that the stream reuses.
                using var objective = new LinearObjective(rows, loss, _classes.Length, context.Threads, context.Cancellation)
                {
                    Weights = Weights,
                    BiasPenalty = BiasPenalty,
                    Penalized = false,
                };
                objective.Select(_classes);
                see(objective, block, first);
            }
        );
    }

    private RowSet Rows(FeatureMatrix block, int first, int count)
    {
        int[] numbers = [.. Enumerable.Range(0, count)];
        if (scaling.Kind != ScalingKind.None)
        {
            Blocks.For(
                count,
                256,
                context.Threads,
                (_, start, end) =>
                {
                    for (var i = start; i < end; i++)
                        // In place: until the call returns the block is the caller's.
                        scaling.Apply(block.Row(i), block.Row(i));
                }
            );
        }

        return RowSet.View(block, numbers, _labels.AsSpan(first, count));
    }
}
