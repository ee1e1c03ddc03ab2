using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Randomized decision trees, scikit-learn's RandomForestClassifier or ExtraTreesClassifier.</summary>
public sealed record Forest : HeadOptions, IWeightedHead
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new ForestTrainer();

    /// <summary>Number of trees.</summary>
    [Option("n_estimators", "number of trees", Min = 1, Max = 100_000)]
    public int Trees { get; init; } = 200;

    /// <summary>Columns that a node considers: <c>sqrt</c>, <c>log2</c>, <c>all</c> or a number.</summary>
    [Option("max_features", "columns that a node considers: sqrt, log2, all or a number")]
    public MaxFeatures MaxFeatures { get; init; }

    /// <summary>Deepest level of a tree, 0 for no limit.</summary>
    [Option("max_depth", "deepest level of a tree, 0 for no limit", Min = 0)]
    public int MaxDepth { get; init; }

    /// <summary>Fewest rows that a node is divided with.</summary>
    [Option("min_samples_split", "fewest rows that a node is divided with", Min = 2)]
    public int MinSamplesSplit { get; init; } = 2;

    /// <summary>Fewest rows of a leaf.</summary>
    [Option("min_samples_leaf", "fewest rows of a leaf", Min = 1)]
    public int MinSamplesLeaf { get; init; } = 1;

    /// <summary>Whether each tree sees as many rows as there are, drawn with replacement.</summary>
    [Option("bootstrap", "each tree sees as many rows as there are, drawn with replacement")]
    public bool Bootstrap { get; init; } = true;

    /// <summary>How a node's threshold is found.</summary>
    [Option("splitter", "the best threshold of each column, or a random one (extra trees)")]
    public ThresholdChoice Splitter { get; init; }

    /// <inheritdoc/>
    public string ClassWeight { get; init; } = "none";

    internal override string? Impossible(int rows, int columns) =>
        MaxFeatures.Count > columns ? $"forest: max_features is {MaxFeatures}, but the vectors have only {columns} values" : null;
}

/// <summary>How a node of a tree finds the threshold of a column.</summary>
public enum ThresholdChoice
{
    /// <summary>The one of least impurity.</summary>
    Best,

    /// <summary>A random one: extremely randomized trees.</summary>
    Random,
}
