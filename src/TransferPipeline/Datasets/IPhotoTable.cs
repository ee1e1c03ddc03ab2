namespace TransferPipeline.Datasets;

/// <summary>
/// Reads image tables in Parquet as the Hugging Face <c>datasets</c> library writes them; a Parquet adapter implements it. Thread-safe.
/// </summary>
public interface IPhotoTable
{
    /// <summary>The columns of a file (name and type) and its key-value metadata.</summary>
    /// <exception cref="BadInputException">Not a Parquet file, or damaged.</exception>
    ParquetDescription Describe(string file);

    /// <summary>
    /// What is known of every photo of the struct column <paramref name="imageColumn"/> (bytes, path), in row order, without keeping any.
    /// </summary>
    /// <param name="labelColumn">A column of texts or numbers, or null.</param>
    List<PhotoTableRow> ReadIndex(string file, string imageColumn, string? labelColumn);

    /// <summary>
    /// The encoded photos of <paramref name="count"/> rows from <paramref name="firstRow"/>; an empty array where a row has none.
    /// </summary>
    byte[][] ReadPhotos(string file, string imageColumn, int firstRow, int count);
}

/// <param name="Columns">Column names with their types, nested ones as <c>image.bytes</c>.</param>
/// <param name="Rows">Number of rows.</param>
public sealed record ParquetDescription(
    IReadOnlyList<(string Name, ColumnType Type)> Columns,
    IReadOnlyDictionary<string, string> Metadata,
    long Rows
);

/// <param name="Bytes">Length of the encoded photo; 0 when the row has none.</param>
/// <param name="Path">The photo's name, or null.</param>
/// <param name="Label">The label as text (a class index in digits when the column is an integer), or null.</param>
public sealed record PhotoTableRow(long Bytes, string? Path, string? Label);
