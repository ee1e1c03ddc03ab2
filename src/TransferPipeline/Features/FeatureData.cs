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

    /// <summary>Lower-case hex SHA-256 of the photos' paths, labels, splits and bytes, copies left out.</summary>
    internal string PhotosSha256() =>
        LinesHash.Of(
            // By path: sets of the same photos may have them in another order.
            Rows.Where(r => r.View == 0)
                .OrderBy(r => r.Path, StringComparer.Ordinal)
                .Select(r => $"{r.Path}\n{r.Label}\n{r.Split}\n{r.ImageSha256}")
        );

    /// <summary>Row numbers of a split; views above 0 only when requested.</summary>
    public int[] RowsOf(string split, bool views = false) =>
        [.. Enumerable.Range(0, Rows.Count).Where(i => Rows[i].Split == split && (views || Rows[i].View == 0))];
}
