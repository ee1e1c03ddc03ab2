namespace TransferPipeline.Features;

/// <summary>How the bytes of a part's columns are compressed.</summary>
internal enum PartCompression
{
    None,
    Snappy,
    Zstd,
}

/// <summary>How parts are written; every library reads every form.</summary>
/// <param name="Compression">Of all columns.</param>
/// <param name="Level">Of zstd.</param>
/// <param name="ByteStreamSplit">The first bytes of all values of a page come before the second ones, which compress better so.</param>
internal sealed record PartFormat(PartCompression Compression, int Level = 1, bool ByteStreamSplit = false)
{
    /// <summary>A row group is the unit that a reader may hold in memory: about this many bytes of vectors.</summary>
    public const long RowGroupBytes = 16 << 20;

    /// <summary>Rows of a group without vectors, and the most of one with short vectors.</summary>
    public const int MostGroupRows = 122_880;

    /// <summary>What parts are written in: see docs/decisions.md.</summary>
    public static PartFormat Default { get; } = new(PartCompression.None);
}
