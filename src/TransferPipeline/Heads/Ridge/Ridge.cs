using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Least squares with a penalty on targets of +1 and -1, scikit-learn's RidgeClassifier.</summary>
public sealed record Ridge : HeadOptions, IScaledHead, IWeightedHead
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new RidgeTrainer();

    /// <summary>Weight of the penalty against the squared errors.</summary>
    [Option("alpha", "weight of the penalty against the squared errors; scikit-learn's alpha", Min = 0, ExclusiveMin = true)]
    public double Alpha { get; init; } = 100;

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }

    /// <inheritdoc/>
    public string ClassWeight { get; init; } = "none";

    /// <summary>Whether scores have a constant term.</summary>
    [Option("fit_intercept", "whether scores have a constant term")]
    public bool FitIntercept { get; init; } = true;
}
