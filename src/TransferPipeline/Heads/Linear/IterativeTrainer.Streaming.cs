using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

internal abstract partial class IterativeTrainer
{
    /// <summary>Relative gap to which the sample is solved: nearer its optimum is no nearer to that of all rows.</summary>
    private const double SampleTolerance = 1e-3;

    /// <inheritdoc/>
    public bool StreamsOnce(HeadOptions options) => false;

    /// <summary>
    /// Solves an even sample of the rows in memory first; its solution is the start and its Hessian preconditions the steps for all rows,
    /// which then takes few passes over the stream.
    /// </summary>
    public IHead TrainStream(IRowStream stream, int classCount, HeadOptions options, TrainingContext context)
    {
        var own = Checked(options);
        var summary = StreamSummary.Read(stream, classCount, own.Scaling, StreamSummary.SampleRows(stream, context), context);
        var c = own.C;
        var weights = Weights(own, summary.Counts, stream.ClassNames);
        var classes = OutputClasses(classCount);
        double? bias = own.FitIntercept ? BiasPenalty : null;
        using var preconditioner = new AdaptivePreconditioner(context.Threads);
        using var objective = new StreamingObjective(stream, summary.Scaling, Loss(classCount), classes.Length, context)
        {
            Weights = weights.Times(c),
            BiasPenalty = bias,
        };
        using var parameters = new FloatBuffer((long)classes.Length * objective.Stride);
        using var rows = RowSet.View(summary.Sample, [.. Enumerable.Range(0, summary.Sample.Rows)], summary.SampleLabels);
        using var sample = new LinearObjective(rows, Loss(classCount), classes.Length, context.Threads, context.Cancellation)
        {
            // A sampled row stands for several: the sample's objective then has the size of that of all rows, and the
            // same optimum but for chance.
            Weights = weights.Times(c * stream.Labels.Count / summary.Sample.Rows),
            BiasPenalty = bias,
        };
        SolveSample(sample, classes, parameters, preconditioner, context);
        void Resample(nint w) => SampleCurvature(objective, sample, summary.Sample, stream.Labels, w);
        var hessian = new SamplePreconditioner(sample, preconditioner, summary.Sample.Rows < stream.Labels.Count ? Resample : null);
        var result = Solve(new(objective, hessian, context.Threads), classes, parameters, own);
        return Finish(result, parameters, objective.Stride, stream.Columns, classCount, own, summary.Scaling, null, context);
    }

    private static unsafe void SolveSample(
        LinearObjective sample,
        int[] classes,
        FloatBuffer parameters,
        AdaptivePreconditioner preconditioner,
        TrainingContext context
    ) => new LbfgsSolver(sample, preconditioner, context.Threads).Solve(classes, parameters.Pointer, SampleTolerance, 1000);

    /// <summary>
    /// Takes other rows into the sample, those that curve the objective at w: most are far on their right side, where the Hessian is next
    /// to nothing.
    /// </summary>
    private static unsafe void SampleCurvature(
        StreamingObjective objective,
        LinearObjective sample,
        FeatureMatrix matrix,
        IReadOnlyList<int> labels,
        nint w
    )
    {
        var share = (double)matrix.Rows / labels.Count;
        var counts = sample.RowFactors ?? [.. Enumerable.Repeat(1f, matrix.Rows)];
        // CurvatureSample takes curvatures and counts apart, so the factors must not be in the curvatures.
        sample.RowFactors = null;
        var choice = new CurvatureSample(sample.RowCurvatures(), counts, share);
        var factors = new float[matrix.Rows];
        var taken = 0;
        objective.ReadCurvatures(
            (float*)w,
            (block, first, curvatures) =>
            {
                for (var i = 0; i < curvatures.Length; i++)
                {
                    // The sample's curvatures count for all rows that its rows stand for.
                    var probability = choice.Take(curvatures[i] / share);
                    // The sample is full before the last rows only by chance: CurvatureSample leaves room.
                    if (probability == 0 || taken == factors.Length)
                        continue;
                    // Into the matrix that the sample's rows point to; its labels and factors change with it.
                    block.Row(i).CopyTo(matrix.Row(taken));
                    sample.Rows.Labels[taken] = labels[first + i];
                    factors[taken++] = (float)(share / probability);
                }
            }
        );
        // Rows of the sample that were not replaced keep factor 0 and curve nothing.
        sample.RowFactors = factors;
    }
}
