using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>The class whose mean is nearest, scikit-learn's NearestCentroid.</summary>
public sealed record NearestMean : HeadOptions, IScaledHead
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new NearestMeanTrainer();

    /// <summary>Distance to the means.</summary>
    [Option("metric", "distance to the means: euclidean, or cosine (vectors and means are divided by their length)")]
    public DistanceMetric Metric { get; init; } = DistanceMetric.Euclidean;

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }

    internal override string? Impossible(int rows, int columns) =>
        Metric == DistanceMetric.Cosine && Scaling == ScalingKind.Standard
            ? "nearest-mean: metric=cosine divides vectors by their length, which scaling=standard would undo; use scaling=none"
            : null;
}
