namespace TransferPipeline.Features;

/// <summary>What is known of one vector besides its values: the columns of a feature set.</summary>
/// <param name="Path">The photo's key in its dataset.</param>
/// <param name="View">0 for the photo itself, 1.. for augmented copies.</param>
/// <param name="ImageSha256">Lower-case hex SHA-256 of the encoded photo.</param>
/// <param name="Bytes">Length of the encoded photo.</param>
/// <param name="Mtime">Nanoseconds since 1970 UTC when it was read; 0 when unknown.</param>
/// <param name="Width">Decoded width in pixels.</param>
/// <param name="Height">Decoded height in pixels.</param>
public sealed record FeatureRow(
    string Path,
    string Label,
    string Split,
    int View,
    string ImageSha256,
    long Bytes,
    long Mtime,
    int Width,
    int Height
);

/// <summary>A photo that could not be used.</summary>
public sealed record FailedRow(string Path, string Label, string Split, string ImageSha256, long Bytes, long Mtime, string Reason);

/// <summary>
/// Parquet files of a feature set; a Parquet adapter implements it. Columns: path, label, split, view, image_sha256, bytes, mtime, width,
/// height, vector (LIST of FLOAT).
/// </summary>
public interface IFeatureTable
{
    /// <summary>Library and version, for <c>doctor</c>.</summary>
    string Name { get; }

    /// <summary>Ending of the names of part files, without the dot.</summary>
    string PartExtension => "parquet";

    /// <summary>
    /// Writes a whole part file; row i of <paramref name="vectors"/> belongs to <c>rows[i]</c>. The bytes depend on the arguments alone.
    /// </summary>
    void Write(string file, IReadOnlyList<FeatureRow> rows, FeatureMatrix vectors);

    /// <summary>Writes the photos that could not be used; the bytes depend on the arguments alone.</summary>
    void WriteFailed(string file, IReadOnlyList<FailedRow> rows);

    /// <summary>Number of rows of a part, and of values of all its vectors, as its header states them; null where it does not.</summary>
    /// <exception cref="BadInputException">Not a Parquet file.</exception>
    (long Rows, long Values)? Shape(string file) => null;

    /// <summary>Reads the columns other than <c>vector</c>, in file order.</summary>
    /// <exception cref="BadInputException">Not a Parquet file, or a column is missing or of another type.</exception>
    List<FeatureRow> ReadRows(string file);

    /// <summary>Reads label and split alone, in file order.</summary>
    /// <exception cref="BadInputException">Not a Parquet file, or a column is missing or of another type.</exception>
    List<(string Label, string Split)> ReadLabels(string file);

    /// <summary>Reads what <see cref="WriteFailed"/> wrote.</summary>
    List<FailedRow> ReadFailed(string file);

    /// <summary>Reads all vectors in file order into <paramref name="destination"/> from its row <paramref name="firstRow"/>.</summary>
    /// <returns>Number of rows read.</returns>
    /// <exception cref="BadInputException">A vector's length is not the matrix's Columns.</exception>
    int ReadVectors(string file, FeatureMatrix destination, int firstRow);

    /// <summary>
    /// Streams a file's vectors through the caller's matrix with bounded memory; files one after the other make whole blocks.
    /// </summary>
    /// <param name="filled">Rows of <paramref name="block"/> that hold vectors of files before.</param>
    /// <param name="full">Called each time that all rows of the matrix are filled; reading goes on from row 0.</param>
    /// <returns>Rows that are filled at the end, fewer than the matrix has.</returns>
    /// <exception cref="BadInputException">A vector's length is not the matrix's Columns.</exception>
    int ReadBlocks(string file, FeatureMatrix block, int filled, Action full);
}
