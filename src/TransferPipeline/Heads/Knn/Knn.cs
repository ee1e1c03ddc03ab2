using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Votes of the nearest training photos, scikit-learn's KNeighborsClassifier.</summary>
public sealed record Knn : HeadOptions, IScaledHead
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new KnnTrainer();

    /// <summary>Training photos that vote.</summary>
    [Option("n_neighbors", "training photos that vote", Min = 1)]
    public int K { get; init; } = 5;

    /// <summary>Distance between vectors.</summary>
    [Option("metric", "distance between vectors")]
    public DistanceMetric Metric { get; init; }

    /// <summary>Weight of a vote.</summary>
    [Option("weights", "one vote each, or votes in inverse proportion to distance")]
    public NeighbourWeights Weights { get; init; }

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }

    internal override string? Impossible(int rows, int columns) =>
        K > rows ? $"knn: n_neighbors is {K}, but there are only {rows} training rows" : null;
}

/// <summary>Weight of a neighbour's vote.</summary>
public enum NeighbourWeights
{
    /// <summary>One vote each.</summary>
    Uniform,

    /// <summary>Inverse of the distance.</summary>
    Distance,
}
