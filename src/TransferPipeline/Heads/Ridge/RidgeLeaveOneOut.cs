using System.Numerics.Tensors;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>Leave-one-out results of one penalty.</summary>
/// <param name="Accuracy">Share of rows that the classifier trained on all other rows gets right.</param>
/// <param name="MeanSquaredError">Mean over rows and targets of the squared errors of those classifiers.</param>
internal sealed record RidgeLeaveOneOutResult(double Alpha, double Accuracy, double MeanSquaredError);

/// <summary>
/// Exact leave-one-out of ridge for many penalties from one factorization. Without row i the residual is e_i / (1 - h_i), h_i the row's
/// leverage (Allen 1974). With the Gram matrix reduced to a tridiagonal one, leverages and residuals of all rows cost a few operations a
/// value and penalty.
/// </summary>
internal static class RidgeLeaveOneOut
{
    private const int RowBlock = 64;

    /// <summary>Results in the order of <paramref name="alphas"/>. Class weights are not taken into account.</summary>
    public static IReadOnlyList<RidgeLeaveOneOutResult> Run(
        TrainingRows data,
        Ridge options,
        IReadOnlyList<double> alphas,
        TrainingContext context
    )
    {
        var counts = TrainingCheck.Counts(data, context);
        if (!ClassWeights.IsNone(options))
            Throw.Usage("ridge: leave-one-out is exact without class_weight only");
        foreach (var alpha in alphas)
        {
            if (!(alpha > 0) || !double.IsFinite(alpha))
                Throw.Usage(FormattableString.Invariant($"ridge: alpha is '{alpha}', expected a number greater than 0"));
        }

        using var prepared = PreparedRows.Of(data, options.Scaling, context);
        var rows = prepared.Rows;
        var intercept = options.FitIntercept;
        var targets = new Targets(rows.Labels, counts, intercept);
        var work =
            // The reduction costs n^3 operations, so it is of the smaller of both Gram matrices.
            rows.Count < rows.Length
                ? ByRows(rows, intercept, targets, context)
                : ByValues(rows, data.ClassCount, intercept, targets, context);
        return [.. alphas.Select(alpha => work.Evaluate(alpha, context))];
    }

    private static Work ByValues(RowSet rows, int classCount, bool intercept, Targets targets, TrainingContext context)
    {
        var (count, n) = (rows.Count, rows.Length);
        var sums = ClassSums.Of(rows, classCount, null, context.Threads, context.Cancellation);
        var mean = intercept ? sums.Mean() : null;
        var gram = new double[(long)n * n];
        GramMatrix<double>.Add(rows, mean, null, gram, context.Threads, context.Cancellation);
        var form = TridiagonalForm.Reduce(gram, n, context.Threads, context.Cancellation);

        // Each row's rotated vector, n values; the rows of a block lie beside each other, so that recurrences over values run over rows in
        // step.
        var rotated = new double[(long)count * n];
        Blocks.For(
            count,
            RowBlock,
            context.Threads,
            (_, start, end) => Rotate(rows, mean, form.Rotation, start, end, rotated),
            context.Cancellation
        );
        return new(form, rotated, count, n, RowBlock, targets, Dual: false);
    }

    private static unsafe void Rotate(RowSet rows, double[]? mean, double[] rotation, int start, int end, double[] rotated)
    {
        var (n, width) = (rows.Length, end - start);
        var centred = new double[width * n];
        for (var i = 0; i < width; i++)
        {
            for (var d = 0; d < n; d++)
                centred[i * n + d] = rows.Rows[start + i][d] - (mean is null ? 0 : mean[d]);
        }

        var addresses = stackalloc double*[RowBlock];
        fixed (
            double* x = centred,
                q = rotation,
                to = &rotated[(long)start * n]
        )
        {
            for (var j = 0; j < n; j += RowBlock)
            {
                var height = Math.Min(RowBlock, n - j);
                for (var i = 0; i < height; i++)
                    addresses[i] = q + (nint)(j + i) * n;
                RowDotKernel<double>.Run(addresses, height, x, n, width, n, to + (nint)j * width, width);
            }
        }
    }

    private static Work ByRows(RowSet rows, bool intercept, Targets targets, TrainingContext context)
    {
        var n = rows.Count;
        var gram = RowGram.Of(rows, context);
        if (intercept)
            RowGram.Centre(gram, n, [.. Enumerable.Repeat(1.0, n)]);
        var form = TridiagonalForm.Reduce(gram, n, context.Threads, context.Cancellation);
        var rotated = new double[(long)n * n];
        Blocks.For(
            n,
            RowBlock,
            context.Threads,
            (_, start, end) =>
            {
                for (var j = 0; j < n; j++)
                    // In the space of rows a row is a unit vector; rotated, it is a column of Q transposed.
                    form.Rotation.AsSpan(j * n + start, end - start).CopyTo(rotated.AsSpan(start * n + j * (end - start)));
            }
        );
        return new(form, rotated, n, n, RowBlock, targets, Dual: true);
    }

    /// <summary>Centred targets of +1 and -1, one per class (of two classes only the second).</summary>
    private sealed class Targets(int[] labels, int[] counts, bool intercept)
    {
        private readonly int[] _classes = counts.Length == 2 ? [1] : [.. Enumerable.Range(0, counts.Length)];

        public int Outputs => _classes.Length;

        /// <summary>1 / N of the intercept's own leverage.</summary>
        public double InterceptLeverage { get; } = intercept ? 1.0 / labels.Length : 0;

        public double Target(int i, int o) => labels[i] == _classes[o] ? 1 : -1;

        public double Mean(int o) => intercept ? 2.0 * counts[_classes[o]] / labels.Length - 1 : 0;

        /// <summary>Whether the predictions for row i name its class.</summary>
        public bool Right(int i, ReadOnlySpan<double> predictions)
        {
            if (_classes.Length == 1)
                return predictions[0] > 0 == (labels[i] == 1);
            var best = 0;
            for (var o = 1; o < predictions.Length; o++)
            {
                if (predictions[o] > predictions[best])
                    best = o;
            }

            return best == labels[i];
        }
    }

    /// <summary>Rotated vectors in blocks of rows: value j of row i of a block of width b is at j * b + i.</summary>
    private sealed record Work(TridiagonalForm Form, double[] Rotated, int Count, int N, int Block, Targets Targets, bool Dual)
    {
        private double[]? _sides;

        public RidgeLeaveOneOutResult Evaluate(double alpha, TrainingContext context)
        {
            var (pivots, multipliers) = (new double[N], new double[N]);
            if (!Form.Factor(alpha, pivots, multipliers))
                Throw.BadInput(
                    FormattableString.Invariant(
                        $"ridge: the vectors' Gram matrix plus alpha={alpha} is singular to working precision; take a larger alpha"
                    )
                );
            var solutions = Solutions(_sides ??= RightSides(context), pivots, multipliers);
            var blocks = Blocks.Count(Count, Block);
            var (right, errors) = (new int[blocks], new double[blocks]);
            Blocks.For(
                Count,
                Block,
                context.Threads,
                (block, start, end) =>
                {
                    var width = end - start;
                    var leverages = Leverages(pivots, multipliers, start, width);
                    var outputs = Outputs(solutions, start, width);
                    var predictions = new double[Targets.Outputs];
                    for (var i = 0; i < width; i++)
                    {
                        for (var o = 0; o < predictions.Length; o++)
                        {
                            // In the space of rows the solution is dual: its residual is alpha times the dual value.
                            var target = Targets.Target(start + i, o);
                            var dual = outputs[o * width + i];
                            var residual = Dual ? alpha * dual : target - Targets.Mean(o) - dual;
                            // 1 - h_i; in the space of rows it is alpha times a diagonal value of (G + alpha I)^-1.
                            // A free intercept adds 1 / N to each leverage.
                            var free = (Dual ? alpha * leverages[i] : 1 - leverages[i]) - Targets.InterceptLeverage;
                            var error = residual / free;
                            errors[block] += error * error;
                            predictions[o] = target - error;
                        }

                        right[block] += Targets.Right(start + i, predictions) ? 1 : 0;
                    }
                }
            );
            return new(alpha, (double)right.Sum() / Count, errors.Sum() / ((double)Count * Targets.Outputs));
        }

        /// <summary>Rotated vectors times centred targets, outputs x N: the same for every penalty.</summary>
        private double[] RightSides(TrainingContext context)
        {
            var sides = new double[Targets.Outputs * N];
            Blocks.For(
                Targets.Outputs,
                1,
                context.Threads,
                (_, o, _) =>
                {
                    var targets = new double[Block];
                    for (var start = 0; start < Count; start += Block)
                    {
                        var width = Math.Min(Block, Count - start);
                        for (var i = 0; i < width; i++)
                            targets[i] = Targets.Target(start + i, o) - Targets.Mean(o);
                        for (var j = 0; j < N; j++)
                            sides[o * N + j] += TensorPrimitives.Dot<double>(
                                Rotated.AsSpan(start * N + j * width, width),
                                targets.AsSpan(0, width)
                            );
                    }
                }
            );
            return sides;
        }

        /// <summary>(T + alpha I)^-1 of the right sides, outputs x N.</summary>
        private double[] Solutions(double[] sides, double[] pivots, double[] multipliers)
        {
            var solutions = (double[])sides.Clone();
            for (var o = 0; o < Targets.Outputs; o++)
            {
                var x = solutions.AsSpan(o * N, N);
                // T + alpha I = L D L' with ones on the diagonal of L: forward, division by the pivots, backward.
                for (var j = 1; j < N; j++)
                    x[j] -= multipliers[j - 1] * x[j - 1];
                for (var j = 0; j < N; j++)
                    x[j] /= pivots[j];
                for (var j = N - 2; j >= 0; j--)
                    x[j] -= multipliers[j] * x[j + 1];
            }

            return solutions;
        }

        /// <summary>Rotated vector . (T + alpha I)^-1 . rotated vector, for a block of rows.</summary>
        private double[] Leverages(double[] pivots, double[] multipliers, int start, int width)
        {
            var (leverages, carried, squares) = (new double[width], new double[width], new double[width]);
            for (var j = 0; j < N; j++)
            {
                var values = Rotated.AsSpan(start * N + j * width, width);
                // r' (L D L')^-1 r is the sum of squares of L^-1 r over the pivots: the backward half is not needed.
                var (multiplier, inverse) = (j > 0 ? multipliers[j - 1] : 0, 1 / pivots[j]);
                TensorPrimitives.MultiplyAdd(carried, -multiplier, values, carried);
                TensorPrimitives.Multiply<double>(carried, carried, squares);
                TensorPrimitives.MultiplyAdd(squares, inverse, leverages, leverages);
            }

            return leverages;
        }

        private double[] Outputs(double[] solutions, int start, int width)
        {
            var outputs = new double[Targets.Outputs * width];
            for (var o = 0; o < Targets.Outputs; o++)
            {
                var sums = outputs.AsSpan(o * width, width);
                for (var j = 0; j < N; j++)
                {
                    var factor = solutions[o * N + j];
                    var values = Rotated.AsSpan(start * N + j * width, width);
                    TensorPrimitives.MultiplyAdd(values, factor, sums, sums);
                }
            }

            return outputs;
        }
    }
}
