using TransferPipeline.Heads.Common;

namespace TransferPipeline.MicrosoftML;

/// <summary>Options of ML.NET's FastForest and FastTree, with ML.NET's names.</summary>
public abstract record MlNetTrees : HeadOptions
{
    /// <summary>Trees per class.</summary>
    [Option("NumberOfTrees", "trees per class", Min = 1)]
    public int NumberOfTrees { get; init; } = 100;

    /// <summary>Most leaves of a tree.</summary>
    [Option("NumberOfLeaves", "most leaves of a tree", Min = 2)]
    public int NumberOfLeaves { get; init; } = 20;

    /// <summary>Fewest rows of a leaf.</summary>
    [Option("MinimumExampleCountPerLeaf", "fewest rows of a leaf", Min = 1)]
    public int MinimumExampleCountPerLeaf { get; init; } = 10;

    /// <summary>Share of the features that a tree may use; ML.NET's 1 takes ten times as long.</summary>
    [Option(
        "FeatureFraction",
        "share of the features that a tree may use; ML.NET's 1 takes ten times as long",
        Min = 0,
        Max = 1,
        ExclusiveMin = true
    )]
    public double FeatureFraction { get; init; } = 0.1;

    /// <summary>Most bins of a feature; ML.NET's 255 takes twice as long.</summary>
    [Option("MaximumBinCountPerFeature", "most bins of a feature; ML.NET's 255 takes twice as long", Min = 2, Max = 255)]
    public int MaximumBinCountPerFeature { get; init; } = 31;
}

/// <summary>Randomized trees by ML.NET's FastForest.</summary>
public sealed record MlNetFastForest : MlNetTrees
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => MicrosoftMLHeads.FastForest;
}

/// <summary>Gradient-boosted trees by ML.NET's FastTree.</summary>
public sealed record MlNetFastTree : MlNetTrees
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => MicrosoftMLHeads.FastTree;

    /// <summary>Share of each tree that is added.</summary>
    [Option("LearningRate", "share of each tree that is added", Min = 0, ExclusiveMin = true)]
    public double LearningRate { get; init; } = 0.2;
}

/// <summary>Gradient-boosted trees by ML.NET's LightGbm.</summary>
public sealed record MlNetLightGbm : HeadOptions
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => MicrosoftMLHeads.LightGbm;

    /// <summary>Trees per class.</summary>
    [Option("NumberOfIterations", "trees per class", Min = 1)]
    public int NumberOfIterations { get; init; } = 100;

    /// <summary>Most leaves of a tree.</summary>
    [Option("NumberOfLeaves", "most leaves of a tree", Min = 2)]
    public int NumberOfLeaves { get; init; } = 20;

    /// <summary>Fewest rows of a leaf.</summary>
    [Option("MinimumExampleCountPerLeaf", "fewest rows of a leaf", Min = 1)]
    public int MinimumExampleCountPerLeaf { get; init; } = 10;

    /// <summary>Share of each tree that is added.</summary>
    [Option("LearningRate", "share of each tree that is added", Min = 0, ExclusiveMin = true)]
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Share of the features that a tree may use; LightGBM's 1 takes several times as long.</summary>
    [Option(
        "FeatureFraction",
        "share of the features that a tree may use; LightGBM's 1 takes several times as long",
        Min = 0,
        Max = 1,
        ExclusiveMin = true
    )]
    public double FeatureFraction { get; init; } = 0.1;

    /// <summary>Most bins of a feature; LightGBM's 255 takes half as long again.</summary>
    [Option("MaximumBinCountPerFeature", "most bins of a feature; LightGBM's 255 takes half as long again", Min = 2, Max = 255)]
    public int MaximumBinCountPerFeature { get; init; } = 63;
}
