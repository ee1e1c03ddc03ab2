using System.Globalization;
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
            MaxFeatures = Features(options.MaxFeatures, columns),
            MaxDepth = options.MaxDepth is 0 ? int.MaxValue : options.MaxDepth,
            MinSamplesSplit = options.MinSamplesSplit,
            MinSamplesLeaf = options.MinSamplesLeaf,
            Bootstrap = options.Bootstrap,
            RandomThresholds = options.Splitter == ThresholdChoice.Random,
        };

    private static int Features(string text, int columns)
    {
        var count = text switch
        {
            "sqrt" => (int)Math.Sqrt(columns),
            "log2" => (int)Math.Log2(columns),
            "all" => columns,
            _ => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0,
        };
        if (count < 1 && text is not ("sqrt" or "log2"))
            Throw.Usage(
                $"forest: max_features is '{text}', expected sqrt, log2, all or a whole number of at least "
                    + $"1{NearestName.Hint(text, ["sqrt", "log2", "all"])}"
            );
        if (count > columns)
            Throw.Usage($"forest: max_features is {count}, but the vectors have only {columns} values");
        return Math.Max(1, count);
    }
}
