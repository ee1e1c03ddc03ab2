using Microsoft.ML;
using Microsoft.ML.Trainers;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.MicrosoftML;

/// <summary>A linear score of a row and the Platt sigmoid of it: the probability is 1 / (1 + exp(slope * score + offset)).</summary>
internal sealed record CalibratedLine(LinearModelParameters Line, double Slope, double Offset);

/// <summary>
/// One binary linear model of ML.NET a class, with probabilities normalized as ML.NET's OneVersusAll does. Score and sigmoid are both
/// linear inside the logistic function, so they become one line of a linear head.
/// </summary>
internal sealed class LinearOneAgainstAllTrainer<TOptions>(
    string name,
    string summary,
    TOptions defaults,
    Func<MLContext, TOptions, IDataView, CalibratedLine> fit
) : HeadTrainer<TOptions>(defaults)
    where TOptions : HeadOptions, IScaledHead
{
    public override string Name => name;

    public override string Summary => summary;

    protected override IHead Fit(TrainingRows data, TOptions options, TrainingContext context)
    {
        TrainingCheck.Counts(data, context);
        var scaling = FeatureScaling.Fit(options.Scaling, data.X, data.Rows, context.Threads);
        var (weights, bias) = (new double[data.ClassCount * data.X.Columns], new double[data.ClassCount]);
        Blocks.For(
            data.ClassCount,
            1,
            context.Threads,
            (k, _, _) =>
            {
                // A generator for each class, so that the classes can train at once.
                var (line, slope, offset) = fit(
                    new MLContext(LinearTrainers.ClassSeed(context.Seed, k)),
                    options,
                    RowView.OneAgainstAll(data, k, scaling, context.Cancellation)
                );
                for (var d = 0; d < data.X.Columns; d++)
                    // The probability is the logistic function of -(slope score + offset): a line again.
                    weights[k * data.X.Columns + d] = -slope * line.Weights[d];
                bias[k] = -slope * line.Bias - offset;
            },
            context.Cancellation
        );
        return LinearHead.Create(Name, weights, bias, scaling, LinearLink.NormalizedSigmoids, options, new FitReport());
    }
}
