using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>
/// Least squares on targets of +1 and -1 with a penalty, scikit-learn's RidgeClassifier: sum of squared errors plus alpha times the squared
/// weights; the intercept is free. Solved in closed form in the smaller of the space of values and the space of rows. Probabilities are the
/// softmax of the scores and uncalibrated.
/// </summary>
internal sealed partial class RidgeTrainer() : HeadPathTrainer<Ridge>(new Ridge()), IStreamingTrainer
{
    public override string Name => "ridge";

    public override string Summary => "least squares with a penalty on targets of +1 and -1, scikit-learn's RidgeClassifier";

    public override string PathOption => "alpha";

    protected override IReadOnlyList<IHead> FitPath(TrainingRows data, IReadOnlyList<Ridge> path, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        var options = path[0];
        using var prepared = PreparedRows.Of(data, options.Scaling, context);
        var classWeights = ClassWeights.Of(Name, options, counts, data.ClassNames);
        var problem = RidgeProblem.Create(data, options, prepared.Rows, classWeights, context);
        return [.. path.Select((p, i) => Solve(problem, p, i == path.Count - 1, prepared.Scaling, context))];
    }

    private LinearHead Solve(RidgeProblem problem, Ridge options, bool isLast, FeatureScaling scaling, TrainingContext context)
    {
        var (weights, bias, objective) = problem.Solve(options.Alpha, isLast, context);
        return LinearHead.Create(
            Name,
            weights,
            bias,
            scaling,
            LinearLink.Softmax,
            options,
            new FitReport
            {
                Objective = objective,
                RelativeGap = 0,
                Iterations = 1,
            }
        );
    }
}
