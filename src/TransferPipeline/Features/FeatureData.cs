namespace TransferPipeline.Features;

/// <summary>A feature set in memory: what heads train on.</summary>
public sealed class FeatureData
{
    /// <summary>N x D vectors.</summary>
    public required FeatureMatrix X { get; init; }

    /// <summary>N class indices into <see cref="Classes"/>.</summary>
    public required int[] Y { get; init; }

    /// <summary>Class names in ordinal order.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>N rows' other columns, in the order of <see cref="X"/>.</summary>
    public required IReadOnlyList<FeatureRow> Rows { get; init; }

    /// <summary>Row numbers of a split; views above 0 only when requested.</summary>
    public int[] RowsOf(string split, bool views = false) =>
        [.. Enumerable.Range(0, Rows.Count).Where(i => Rows[i].Split == split && (views || Rows[i].View == 0))];
}
