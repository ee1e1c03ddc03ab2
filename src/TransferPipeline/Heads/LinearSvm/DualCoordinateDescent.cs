using System.Numerics;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>
/// Coordinate descent on the dual of the squared-hinge machine (Hsieh et al. 2008, LIBLINEAR's default). While most rows take part, a few
/// outputs share the reading of each row; an output whose rows have become few goes on alone. The distance between both objectives is the
/// gap; L-BFGS finishes outputs that do not reach it. Duals stay for the next C of a path.
/// </summary>
internal sealed unsafe class DualCoordinateDescent
{
    private const int MostRounds = 10;

    /// <summary>Weights that are visited together stay in the first-level cache beside a row.</summary>
    private const int GroupBytes = 32 * 1024;

    /// <summary>Bits of a row's mask.</summary>
    private const int MostTogether = 32;

    private const int MeasuredRows = 128;

    private readonly RowSet _rows;
    private readonly int[] _classes;
    private readonly float[] _lengths;
    private readonly double[][] _duals;
    private readonly bool _bias;

    /// <param name="bias">Whether each row has a constant value of 1 more.</param>
    public DualCoordinateDescent(RowSet rows, int[] classes, bool bias, int threads)
    {
        (_rows, _classes, _bias) = (rows, classes, bias);
        _lengths = new float[rows.Count];
        _duals = Array.ConvertAll(classes, _ => new double[rows.Count]);
        Blocks.For(
            rows.Count,
            256,
            threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                    _lengths[i] = FloatVectors.DotSingle(rows.Rows[i], rows.Rows[i], rows.Length) + (bias ? 1 : 0);
            }
        );
    }

    /// <summary>
    /// Overwrites the parameters (one row an output) by the weights that belong to the duals found; returns where each output stands.
    /// </summary>
    /// <param name="tolerance">Relative gap to reach.</param>
    public OutputStart[] Run(LossWeights weights, double tolerance, float* parameters, int stride, TrainingContext context)
    {
        // 1. Groups of outputs, as many as fit the first-level cache and leave no thread without a group, sweep together.
        var to = (nint)parameters;
        var together = Math.Clamp(GroupBytes / (sizeof(float) * stride), 1, MostTogether);
        together = Math.Min(together, Blocks.Count(_classes.Length, context.Threads));
        var outputs = new DualOutput[_classes.Length];
        Blocks.For(
            outputs.Length,
            together,
            context.Threads,
            (_, start, end) =>
            {
                for (var k = start; k < end; k++)
                    outputs[k] = new(
                        _rows,
                        _classes[k],
                        weights,
                        _duals[k],
                        _lengths,
                        _bias,
                        (float*)to + (nint)k * stride,
                        stride,
                        tolerance
                    );
                SweepTogether(outputs.AsSpan(start, end - start), context.Cancellation);
            },
            context.Cancellation
        );

        // 2. Each output alone, until its own account of the gap is within the tolerance; then the exact gap. Where that is not, again.
        var found = new OutputStart[outputs.Length];
        int[] open = [.. Enumerable.Range(0, outputs.Length)];
        for (var round = 0; round < MostRounds && open.Length > 0; round++)
        {
            // The sweeps' own gap knows nothing of rows that were left out too early: its tolerance falls from round to round.
            var stricter = tolerance * Math.Pow(0.5, round);
            Blocks.For(
                open.Length,
                1,
                context.Threads,
                (at, _, _) =>
                {
                    var output = outputs[open[at]];
                    if (found[open[at]].Iterations > 0)
                        output.Resume(stricter);
                    while (!output.Done)
                    {
                        context.Cancellation.ThrowIfCancellationRequested();
                        output.Sweep();
                    }

                    output.TakeWeightsOfDuals();
                },
                context.Cancellation
            );
            Measure(outputs, open, to, stride, found, context);
            open = [.. open.Where(k => !found[k].Reached(tolerance) && !outputs[k].IsStalled)];
        }

        return found;
    }

    /// <summary>The exact gaps: all losses in one pass over the rows, summed in an order that no thread changes.</summary>
    private void Measure(DualOutput[] outputs, int[] open, nint parameters, int stride, OutputStart[] found, TrainingContext context)
    {
        // Only the open outputs are measured. Their weights are gathered, so that one product serves all of them.
        using var weights = new FloatBuffer((long)open.Length * stride);
        for (var at = 0; at < open.Length; at++)
            FloatVectors.Copy((float*)parameters + (nint)open[at] * stride, weights.Pointer + (nint)at * stride, stride);
        var losses = new double[Blocks.Count(_rows.Count, MeasuredRows)][];
        Blocks.For(
            _rows.Count,
            MeasuredRows,
            context.Threads,
            (block, start, end) =>
            {
                using var z = new FloatBuffer((long)MeasuredRows * open.Length);
                RowDotKernel<float>.Run(
                    _rows.Rows + start,
                    end - start,
                    weights.Pointer,
                    stride,
                    open.Length,
                    _rows.Length,
                    z.Pointer,
                    open.Length
                );
                var sums = losses[block] = new double[open.Length];
                for (var i = start; i < end; i++)
                {
                    for (var at = 0; at < open.Length; at++)
                        sums[at] += outputs[open[at]].Loss(i, z.Pointer[(nint)(i - start) * open.Length + at]);
                }
            },
            context.Cancellation
        );
        for (var at = 0; at < open.Length; at++)
            found[open[at]] = outputs[open[at]].CurrentSolution(losses.Sum(sums => sums[at]));
    }

    /// <summary>
    /// Sweeps over all rows in an order that depends on the sweep alone, so that an output's way does not depend on which others share the
    /// reading of a row.
    /// </summary>
    private void SweepTogether(Span<DualOutput> outputs, CancellationToken cancellation)
    {
        // Bit g of a row: it takes part in the sweeps of output g.
        var active = new uint[_rows.Count];
        Array.Fill(active, uint.MaxValue);
        var order = new int[_rows.Count];
        var open = uint.MaxValue >> (32 - outputs.Length);
        for (var sweep = 0; open != 0; sweep++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var i = 0; i < order.Length; i++)
                // Shuffled from the rows' own order in each sweep: the order of a sweep depends on its number alone.
                order[i] = i;
            // System.Random and not RandomStream: another order gives other weights within the
            // tolerance (docs/decisions.md).
            new Random(sweep).Shuffle(order);
            for (var at = 0; at < order.Length; at++)
            {
                var i = order[at];
                if (at + 1 < order.Length && (active[order[at + 1]] & open) != 0)
                    FloatVectors.Prefetch(_rows.Rows[order[at + 1]], _rows.Length);
                // The row is in the first-level cache: all outputs that still need it visit it now.
                for (var bits = active[i] & open; bits != 0; bits &= bits - 1)
                {
                    var g = BitOperations.TrailingZeroCount(bits);
                    if (!outputs[g].Visit(i))
                        active[i] &= ~(1u << g);
                }
            }

            for (var g = 0; g < outputs.Length; g++)
            {
                if ((open & (1u << g)) != 0 && outputs[g].EndSweepTogether(active, 1u << g))
                    open &= ~(1u << g);
            }
        }
    }
}
