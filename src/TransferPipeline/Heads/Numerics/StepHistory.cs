using System.Numerics.Tensors;

namespace TransferPipeline.Heads.Numerics;

/// <summary>
/// The last steps of L-BFGS and the changes of the gradient along them, for groups of parameter rows that are problems of their own.
/// </summary>
internal sealed unsafe class StepHistory : IDisposable
{
    private const int MostSteps = 20;

    /// <summary>Steps are fewer where vectors are long.</summary>
    private const long MostBytes = 256L << 20;

    /// <summary>Values of a task: less is not worth a thread.</summary>
    private const int TaskLength = 1 << 16;

    /// <summary>Cosine between step and change below which a pair is rounding.</summary>
    private const double LeastCosine = 1e-6;

    private readonly List<Step> _steps = [];
    private readonly int _groups;
    private readonly int _rows;
    private readonly int _stride;
    private readonly int _threads;
    private readonly int _most;

    public StepHistory(int groups, int rows, int stride, int threads)
    {
        (_groups, _rows, _stride, _threads) = (groups, rows, stride, threads);
        // A step has two float32 vectors, 8 bytes per parameter.
        _most = (int)Math.Clamp(MostBytes / (8L * groups * rows * stride), 4, MostSteps);
    }

    /// <summary>direction = -H gradient, zero for groups that are not open.</summary>
    /// <param name="active">The history's group of each group of the gradient.</param>
    public void Direction(ReadOnlySpan<int> active, bool[] open, float* gradient, float* direction, IPreconditioner preconditioner)
    {
        var map = active.ToArray();
        var size = (nint)map.Length * _rows * _stride;
        using var buffer = new FloatBuffer(size);
        var q = buffer.Pointer;
        FloatVectors.Copy(gradient, q, size);

        // 1. First loop, from the youngest pair to the oldest (Nocedal and Wright 2006, algorithm 7.4): a_j = s_j'q / s_j'y_j,
        // q -= a_j y_j.
        var factors = new double[_steps.Count][];
        var last = new double[map.Length];
        for (var j = _steps.Count; j >= 0; j--)
        {
            // The update by the younger pair and the product with the next older one share a pass over q.
            var (younger, older) = (j < _steps.Count ? _steps[j] : null, j > 0 ? _steps[j - 1] : null);
            var products = ForRows(
                map,
                (g, row, from) =>
                {
                    if (younger is not null)
                        FloatVectors.AddScaled(q + row, -last[g], younger.Change + from, _stride);
                    return older is null ? 0 : FloatVectors.Dot(q + row, older.Move + from, _stride);
                }
            );
            if (older is null)
                break;
            last = factors[j - 1] = [.. products.Select((product, g) => product * older.Inverse[map[g]])];
        }

        // 2. The first inverse Hessian: the preconditioner's, or s'y / y'y of the last pair (their equation 7.20).
        if (preconditioner.Ready)
        {
            preconditioner.Apply(q, direction, map.Length * _rows);
            if (!preconditioner.IsScaled && _steps.Count > 0)
                Resize(map, direction, preconditioner);
        }
        else
        {
            ForRows(
                map,
                (g, row, _) =>
                {
                    TensorPrimitives.Multiply(
                        new ReadOnlySpan<float>(q + row, _stride),
                        (float)Scale(map[g]),
                        new Span<float>(direction + row, _stride)
                    );
                    return 0;
                }
            );
        }

        // 3. Second loop, from the oldest pair to the youngest: b = y_j'r / s_j'y_j, r += (a_j - b) s_j. As above, two pairs share a pass.
        for (var j = 0; j <= _steps.Count; j++)
        {
            var (older, younger) = (j > 0 ? _steps[j - 1] : null, j < _steps.Count ? _steps[j] : null);
            var factor = last;
            var products = ForRows(
                map,
                (g, row, from) =>
                {
                    if (older is not null)
                        FloatVectors.AddScaled(direction + row, factor[g], older.Move + from, _stride);
                    return younger is null ? 0 : FloatVectors.Dot(direction + row, younger.Change + from, _stride);
                }
            );
            if (younger is null)
                break;
            var first = factors[j];
            last = [.. products.Select((product, g) => first[g] - product * younger.Inverse[map[g]])];
        }

        // 4. Downhill; problems that are done stand still.
        ForRows(
            map,
            (g, row, from) =>
            {
                var values = new Span<float>(direction + row, _stride);
                TensorPrimitives.Multiply(values, open[g] ? -1 : 0, values);
                return 0;
            }
        );
    }

    /// <summary>Remembers a step: move = lengths * direction, change = next - gradient.</summary>
    public void Add(ReadOnlySpan<int> active, double[] lengths, float* direction, float* gradient, float* next)
    {
        var map = active.ToArray();

        // The oldest step's buffers are used again.
        var step = _steps.Count == _most ? _steps[0] : new Step(_groups, (long)_groups * _rows * _stride);
        if (_steps.Count == _most)
            _steps.RemoveAt(0);
        _steps.Add(step);
        // Groups that have left are not written below; their old values must not count as pairs of this step.
        Array.Clear(step.Inverse);
        var products = ForRows(
            map,
            (g, row, from) =>
            {
                new Span<float>(step.Move + from, _stride).Clear();
                FloatVectors.AddScaled(step.Move + from, lengths[g], direction + row, _stride);
                FloatVectors.Copy(next + row, step.Change + from, _stride);
                FloatVectors.AddScaled(step.Change + from, -1, gradient + row, _stride);
                return FloatVectors.Dot(step.Move + from, step.Change + from, _stride);
            }
        );
        var moves = ForRows(map, (_, _, from) => FloatVectors.Dot(step.Move + from, step.Move + from, _stride));
        var changes = ForRows(map, (_, _, from) => FloatVectors.Dot(step.Change + from, step.Change + from, _stride));
        for (var g = 0; g < map.Length; g++)
        {
            // A pair without curvature would make the inverse Hessian indefinite; the group keeps an inverse of 0, which skips the pair.
            if (products[g] > LeastCosine * Math.Sqrt(moves[g] * changes[g]))
                (step.Inverse[map[g]], step.Scale[map[g]]) = (1 / products[g], products[g] / changes[g]);
        }
    }

    /// <summary>Drops a group's steps.</summary>
    public void Reset(int group)
    {
        foreach (var step in _steps)
            step.Inverse[group] = 0;
    }

    /// <summary>Products of two vectors, one a group.</summary>
    public double[] Products(int groups, float* a, float* b) =>
        ForRows([.. Enumerable.Range(0, groups)], (_, row, _) => FloatVectors.Dot(a + row, b + row, _stride));

    public void Dispose() => _steps.ForEach(s => s.Dispose());

    /// <summary>
    /// Scales what the preconditioner gave so that it would turn the last change of the gradient into a move of the length of the one that
    /// caused it.
    /// </summary>
    private void Resize(int[] map, float* direction, IPreconditioner preconditioner)
    {
        var step = _steps[^1];
        var size = (nint)map.Length * _rows * _stride;
        using var buffer = new FloatBuffer(2 * size);
        float* change = buffer.Pointer,
            solved = change + size;
        ForRows(
            map,
            (_, row, from) =>
            {
                FloatVectors.Copy(step.Change + from, change + row, _stride);
                return 0;
            }
        );
        preconditioner.Apply(change, solved, map.Length * _rows);
        var products = Products(map.Length, change, solved);
        ForRows(
            map,
            (g, row, _) =>
            {
                // s'y / y'M^-1 y: equation 7.20 with the preconditioner in place of the identity. Without a pair the size stays as it is.
                var scale = step.Inverse[map[g]] > 0 && products[g] > 0 ? 1 / (step.Inverse[map[g]] * products[g]) : 1;
                var values = new Span<float>(direction + row, _stride);
                TensorPrimitives.Multiply(values, (float)scale, values);
                return 0;
            }
        );
    }

    /// <summary>Curvature of the last step that shows something of it.</summary>
    private double Scale(int group)
    {
        for (var j = _steps.Count - 1; j >= 0; j--)
        {
            if (_steps[j].Inverse[group] > 0)
                return _steps[j].Scale[group];
        }

        return 1;
    }

    /// <summary>
    /// Runs for each parameter row (group, offset of the row, its offset in the history) and adds the results of each group in order.
    /// </summary>
    private double[] ForRows(int[] map, Func<int, nint, nint, double> row)
    {
        var count = map.Length * _rows;
        var parts = new double[count];
        Blocks.For(
            count,
            Math.Max(1, TaskLength / _stride),
            _threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                    parts[i] = row(i / _rows, (nint)i * _stride, ((nint)map[i / _rows] * _rows + i % _rows) * _stride);
            }
        );
        // Added by one thread in the order of the rows, so that the result does not depend on who computed the parts.
        var sums = new double[map.Length];
        for (var i = 0; i < count; i++)
            sums[i / _rows] += parts[i];
        return sums;
    }

    private sealed class Step(int groups, long size) : IDisposable
    {
        private readonly FloatBuffer _move = new(size);
        private readonly FloatBuffer _change = new(size);

        public float* Move => _move.Pointer;

        public float* Change => _change.Pointer;

        /// <summary>1 / (move, change) of each group; 0 where there is no such pair.</summary>
        public double[] Inverse { get; } = new double[groups];

        /// <summary>(move, change) / (change, change).</summary>
        public double[] Scale { get; } = new double[groups];

        public void Dispose()
        {
            _move.Dispose();
            _change.Dispose();
        }
    }
}
