namespace TransferPipeline.Features;

/// <summary>The columns of a part and of <c>failed.parquet</c>: names, types and order for every Parquet library.</summary>
internal static class FeatureColumns
{
    /// <summary>The last column of a part: one list of float32 values per row.</summary>
    public const string Vector = "vector";

    public static readonly TextColumn<FeatureRow> Path = new("path", false, row => row.Path);
    public static readonly TextColumn<FeatureRow> Label = new("label", true, row => row.Label);
    public static readonly TextColumn<FeatureRow> Split = new("split", true, row => row.Split);
    public static readonly Int32Column<FeatureRow> View = new("view", true, row => row.View);
    public static readonly TextColumn<FeatureRow> ImageSha256 = new("image_sha256", false, row => row.ImageSha256);
    public static readonly Int64Column<FeatureRow> Bytes = new("bytes", false, row => row.Bytes);
    public static readonly Int64Column<FeatureRow> Mtime = new("mtime", false, row => row.Mtime);
    public static readonly Int32Column<FeatureRow> Width = new("width", true, row => row.Width);
    public static readonly Int32Column<FeatureRow> Height = new("height", true, row => row.Height);

    public static readonly TextColumn<FailedRow> FailedPath = new("path", false, row => row.Path);
    public static readonly TextColumn<FailedRow> FailedLabel = new("label", true, row => row.Label);
    public static readonly TextColumn<FailedRow> FailedSplit = new("split", true, row => row.Split);
    public static readonly TextColumn<FailedRow> FailedSha256 = new("image_sha256", false, row => row.ImageSha256);
    public static readonly Int64Column<FailedRow> FailedBytes = new("bytes", false, row => row.Bytes);
    public static readonly Int64Column<FailedRow> FailedMtime = new("mtime", false, row => row.Mtime);
    public static readonly TextColumn<FailedRow> Reason = new("reason", true, row => row.Reason);

    /// <summary>All columns of a part before <see cref="Vector"/>.</summary>
    public static IReadOnlyList<TableColumn<FeatureRow>> Part { get; } =
    [Path, Label, Split, View, ImageSha256, Bytes, Mtime, Width, Height];

    /// <summary>All columns of <c>failed.parquet</c>.</summary>
    public static IReadOnlyList<TableColumn<FailedRow>> Failed { get; } =
    [FailedPath, FailedLabel, FailedSplit, FailedSha256, FailedBytes, FailedMtime, Reason];
}
