using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>A head on a feature set after it was evaluated, before heads are compared with each other.</summary>
/// <param name="ShortName">See <see cref="HeadResult.ShortName"/>.</param>
/// <param name="NameOnOneSet">See <see cref="HeadResult.NameOnOneSet"/>.</param>
/// <param name="ChosenSettings">See <see cref="HeadResult.ChosenSettings"/>.</param>
/// <param name="Head">The head that is kept, trained on all that may be trained on.</param>
/// <param name="InParts">How the head was set and what it predicted in each part of the protocol.</param>
internal sealed record EvaluatedHead(
    HeadFitter Fitter,
    string Title,
    string ShortName,
    string NameOnOneSet,
    string ChosenSettings,
    int FeatureSet,
    IHead Head,
    Choice Choice,
    double SweepSeconds,
    double FitSeconds,
    double PredictSeconds,
    IReadOnlyList<EvaluatedPart> InParts
)
{
    /// <summary>What was predicted in each part of the protocol.</summary>
    public IReadOnlyList<Predictions> Parts { get; } = [.. InParts.Select(p => p.Predictions)];

    /// <summary>All parts' predictions together.</summary>
    // Once, not at each access: joining the parts copies all probabilities.
    public Predictions All { get; } = Predictions.Concat([.. InParts.Select(p => p.Predictions)]);

    public double[] FoldAccuracies { get; } = [.. InParts.Select(p => p.Predictions.Accuracy)];
}

/// <param name="Options">Chosen without the photos that evaluate the part.</param>
internal readonly record struct EvaluatedPart(HeadOptions Options, Predictions Predictions);
