using System.Globalization;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Settings of a forest, read and checked.</summary>
internal sealed record ForestOptions
{
    public required int Trees { get; init; }

    /// <summary>Columns that a node looks at.</summary>
    public required int MaxFeatures { get; init; }

    public required int MaxDepth { get; init; }

    public required int MinSamplesSplit { get; init; }

    public required int MinSamplesLeaf { get; init; }

    public required bool Bootstrap { get; init; }

    /// <summary>One random threshold a column (extremely randomized trees) instead of the best one.</summary>
    public required bool RandomThresholds { get; init; }

    public static ForestOptions Read(HeadSettings settings, int columns) => new()
    {
        Trees = settings.Integer("n_estimators"),
        MaxFeatures = Features(settings.Text("max_features"), columns),
        MaxDepth = settings.Integer("max_depth") is 0 ? int.MaxValue : settings.Integer("max_depth"),
        MinSamplesSplit = settings.Integer("min_samples_split"),
        MinSamplesLeaf = settings.Integer("min_samples_leaf"),
        Bootstrap = settings.Flag("bootstrap"),
        RandomThresholds = settings.Text("splitter") == "random",
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
            Throw.Usage($"forest: max_features is '{text}', expected sqrt, log2, all or a whole number of at least 1{NearestName.Hint(text, ["sqrt", "log2", "all"])}");
        if (count > columns)
            Throw.Usage($"forest: max_features is {count}, but the vectors have only {columns} values");
        return Math.Max(1, count);
    }
}
