namespace TransferPipeline.Datasets;

/// <summary>Reads image tables in Parquet as the Hugging Face <c>datasets</c> library writes them; a Parquet adapter implements it.</summary>
public interface IPhotoTable
{
    /// <summary>The columns of a file (name and logical type as text) and its key-value metadata.</summary>
    ParquetDescription Describe(string file);

    /// <summary>Reads the struct column <paramref name="imageColumn"/> (bytes, path) and, if not null, the integer or string column <paramref name="labelColumn"/>, in row order.</summary>
    IEnumerable<PhotoTableRow> ReadPhotos(string file, string imageColumn, string? labelColumn);
}

/// <param name="Columns">Column names with their logical types as text, nested ones as <c>image.bytes</c>.</param>
public sealed record ParquetDescription(IReadOnlyList<(string Name, string Type)> Columns, IReadOnlyDictionary<string, string> Metadata, long Rows);

/// <param name="Bytes">Encoded photo, or null when the row has none.</param>
/// <param name="Label">The label as text (a class index in digits when the column is an integer), or null.</param>
public sealed record PhotoTableRow(byte[]? Bytes, string? Path, string? Label);
