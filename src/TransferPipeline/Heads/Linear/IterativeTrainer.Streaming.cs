using TransferPipeline.Heads.Kernels;
using TransferPipeline.Heads.Scaling;
using TransferPipeline.Heads.Streaming;

namespace TransferPipeline.Heads.Linear;

public abstract partial class IterativeTrainer
{
    /// <summary>Relative gap to which the sample is solved: nearer its optimum is no nearer to that of all rows.</summary>
    private const double SampleTolerance = 1e-3;

    /// <summary>
    /// Solves an even sample of the rows in memory first; its solution is the start and its Hessian the preconditioner for all rows, which then
    /// takes few passes over the stream.
    /// </summary>
    internal IHead TrainStream(IRowStream stream, int classCount, HeadSettings settings, TrainingContext context, int sampleRows)
    {
        var summary = StreamSummary.Read(stream, classCount, FeatureScaling.Parse(settings.Text("scaling")), sampleRows, context);
        var c = settings.Number(PathOption);
        var weights = Weights(settings, summary.Counts);
        var classes = OutputClasses(classCount);
        var bias = settings.Flag("fit_intercept") ? BiasPenalty : double.NaN;
        using var preconditioner = new AdaptivePreconditioner(context.Threads);
        using var objective = new StreamingObjective(stream, summary.Scaling, Loss(classCount), classes.Length, context)
        {
            Weights = weights.Times(c),
            BiasPenalty = bias,
        };
        using var parameters = new FloatBuffer((long)classes.Length * objective.Stride);
        SolveSample(summary, weights.Times(c * stream.Labels.Count / summary.Sample.Rows), bias, classes, classCount, parameters, preconditioner, context);
        var result = Solve(new(objective, preconditioner), classes, parameters, settings);
        return Finish(result, parameters, objective.Stride, stream.Columns, classCount, settings, summary.Scaling, null, context);
    }

    private unsafe void SolveSample(
        StreamSummary summary, LossWeights weights, double bias, int[] classes, int classCount, FloatBuffer parameters,
        AdaptivePreconditioner preconditioner, TrainingContext context)
    {
        var rows = RowSet.View(summary.Sample, [.. Enumerable.Range(0, summary.Sample.Rows)], summary.SampleLabels);
        using var objective = new LinearObjective(rows, Loss(classCount), classes.Length, context.Threads, context.Cancellation)
        {
            Weights = weights,
            BiasPenalty = bias,
        };
        new NewtonSolver(objective, preconditioner).Solve(classes, parameters.Pointer, SampleTolerance, 100);
        objective.Select(classes);
        objective.Evaluate(parameters.Pointer, null, new double[objective.Separable ? classes.Length : 1]);
        preconditioner.Make(objective);
    }
}
