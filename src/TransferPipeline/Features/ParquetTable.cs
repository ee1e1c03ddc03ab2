using TransferPipeline.Datasets;

namespace TransferPipeline.Features;

/// <summary>Feature sets and photo tables over any Parquet library, a row group at a time. Thread-safe.</summary>
internal abstract partial class ParquetTable : IParquetLibrary
{
    /// <param name="format">How parts are written.</param>
    internal ParquetTable(PartFormat format) => Format = format;

    public abstract string Name { get; }

    /// <summary>How parts are written.</summary>
    internal PartFormat Format { get; }

    public void Write(string file, IReadOnlyList<FeatureRow> rows, FeatureMatrix vectors)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vectors.Rows, rows.Count);
        // At least one row, however long a vector is.
        var groupRows = (int)Math.Clamp(PartFormat.RowGroupBytes / (sizeof(float) * (long)vectors.Columns), 1, PartFormat.MostGroupRows);
        WriteTable(file, FeatureColumns.Part, rows, vectors, groupRows);
    }

    public void WriteFailed(string file, IReadOnlyList<FailedRow> rows) =>
        WriteTable(file, FeatureColumns.Failed, rows, null, PartFormat.MostGroupRows);

    /// <summary>Opens a file that is there.</summary>
    internal abstract IParquetReader OpenReader(string file);

    /// <summary>Writes a whole file; the bytes depend on the arguments alone.</summary>
    /// <param name="vectors">The last column, <see cref="FeatureColumns.Vector"/>; null for none.</param>
    /// <param name="groupRows">Rows of a row group.</param>
    internal abstract void WriteFile<TRow>(
        string file,
        IReadOnlyList<TableColumn<TRow>> columns,
        IReadOnlyList<TRow> rows,
        FeatureMatrix? vectors,
        int groupRows
    );

    /// <summary>Why a file cannot be written, in one line; null for an exception that has another cause.</summary>
    internal virtual string? WriteProblem(Exception e) => e is IOException or UnauthorizedAccessException ? e.FirstLine() : null;

    private void WriteTable<TRow>(
        string file,
        IReadOnlyList<TableColumn<TRow>> columns,
        IReadOnlyList<TRow> rows,
        FeatureMatrix? vectors,
        int groupRows
    )
    {
        try
        {
            WriteFile(file, columns, rows, vectors, groupRows);
        }
        catch (Exception e) when (WriteProblem(e) is not null)
        {
            throw new JobFailedException($"{file} cannot be written ({WriteProblem(e)})", e);
        }
    }

    private IParquetReader Open(string file)
    {
        ParquetErrors.RequireFile(file);
        return OpenReader(file);
    }
}
