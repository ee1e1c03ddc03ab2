using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Linear discriminant analysis with a shrunk covariance, scikit-learn's LinearDiscriminantAnalysis.</summary>
public sealed record Lda : HeadOptions, IScaledHead
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new LdaTrainer();

    /// <summary><c>auto</c> or a share from 0 to 1 of the mean variance.</summary>
    [Option("shrinkage", "auto (Ledoit-Wolf for each class; 1 when no class has three rows) or a share from 0 to 1 of the mean variance")]
    public Shrinkage Shrinkage { get; init; }

    /// <summary>Class probabilities assumed.</summary>
    [Option("priors", "class probabilities assumed: frequency (of the training rows) or uniform")]
    public ClassPriors Priors { get; init; }

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }
}

/// <summary>Class probabilities that a discriminant analysis assumes.</summary>
public enum ClassPriors
{
    /// <summary>Shares of the training rows.</summary>
    Frequency,

    /// <summary>The same for each class.</summary>
    Uniform,
}
