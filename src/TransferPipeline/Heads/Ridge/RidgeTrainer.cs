using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>
/// Least squares on targets of +1 and -1 with a penalty, scikit-learn's RidgeClassifier: sum of squared errors plus alpha times the squared
/// weights; the intercept is free. Solved in closed form in the smaller of the space of values and the space of rows. Probabilities are the
/// softmax of the scores and uncalibrated.
/// </summary>
public sealed partial class RidgeTrainer : IPathTrainer
{
    public string Name => "ridge";

    public string Summary => "least squares with a penalty on targets of +1 and -1, scikit-learn's RidgeClassifier";

    public string? Unavailable => null;

    public string PathOption => "alpha";

    public IReadOnlyList<HeadOption> Options { get; } =
    [
        new("alpha", HeadOptionKind.Number, "100", "Weight of the penalty against the squared errors; scikit-learn's alpha.") { Minimum = 0, ExclusiveMinimum = true },
        LinearOptions.Scaling, ClassWeights.Option, LinearOptions.FitIntercept,
    ];

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context) =>
        TrainPath(data, settings, [settings.Number(PathOption)], context)[0];

    public IReadOnlyList<IHead> TrainPath(TrainingRows data, HeadSettings settings, IReadOnlyList<double> values, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        foreach (var value in values)
            HeadSettings.Check(this, PathOption, value);
        var (scaling, rows) = PreparedRows.Of(data, settings, context);
        var classWeights = ClassWeights.Of(settings, counts, data.ClassNames);
        var problem = RidgeProblem.Create(data, settings, rows, classWeights, context);
        IHead[] heads = [.. values.Select(alpha => Solve(problem, alpha, settings.With(PathOption, alpha), scaling, context))];

        // The kernels hold the rows' addresses only: without this the collector may free them in the middle of a fit.
        GC.KeepAlive(rows);
        return heads;
    }

    private LinearHead Solve(RidgeProblem problem, double alpha, HeadSettings settings, FeatureScaling scaling, TrainingContext context)
    {
        var (weights, bias, objective) = problem.Solve(alpha, context);
        return LinearHead.Create(Name, weights, bias, scaling, LinearLink.Softmax, settings, new FitReport { Objective = objective, RelativeGap = 0, Iterations = 1 });
    }
}
