using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>The options of a forest for vectors of a known length.</summary>
internal sealed record TreeLimits
{
    public required int Trees { get; init; }

    /// <summary>Columns that a node considers.</summary>
    public required int MaxFeatures { get; init; }

    public required int MaxDepth { get; init; }

    public required int MinSamplesSplit { get; init; }

    public required int MinSamplesLeaf { get; init; }

    public required bool Bootstrap { get; init; }

    /// <summary>One random threshold a column (extremely randomized trees) instead of the best one.</summary>
    public required bool RandomThresholds { get; init; }

    public static TreeLimits Of(Forest options, int columns) =>
        new()
        {
            Trees = options.Trees,
            MaxFeatures = options.MaxFeatures.Of(columns),
            MaxDepth = options.MaxDepth is 0 ? int.MaxValue : options.MaxDepth,
            MinSamplesSplit = options.MinSamplesSplit,
            MinSamplesLeaf = options.MinSamplesLeaf,
            Bootstrap = options.Bootstrap,
            RandomThresholds = options.Splitter == ThresholdChoice.Random,
        };
}
