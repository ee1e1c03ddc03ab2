using ParquetSharp;
using TransferPipeline.Features;
using TransferPipeline.Platform;

namespace TransferPipeline.ParquetSharp;

/// <summary>Feature sets and photo tables by ParquetSharp, which is Arrow's C++ library. Thread-safe.</summary>
internal sealed class ParquetSharpTable : ParquetTable
{
    /// <summary>Writes parts in the default format.</summary>
    public ParquetSharpTable()
        : this(PartFormat.Default) { }

    internal ParquetSharpTable(PartFormat format)
        : base(format) { }

    /// <summary>Why the native library cannot be used on this machine, in one line; null when it can.</summary>
    public static string? Problem => NativeLibraries.Problem("ParquetSharpNative", typeof(ParquetFileReader).Assembly);

    public override string Name => $"ParquetSharp {AssemblyVersion.Of(typeof(ParquetFileReader).Assembly)}";

    internal override IParquetReader OpenReader(string file) => ParquetFile.Open(file);

    internal override void WriteFile<TRow>(
        string file,
        IReadOnlyList<TableColumn<TRow>> columns,
        IReadOnlyList<TRow> rows,
        FeatureMatrix? vectors,
        int groupRows
    )
    {
        using var schema = TableSchema.Of(columns, vectors is not null);
        using var properties = TableSchema.Properties(columns, Format);
        using var writer = new ParquetFileWriter(file, schema, properties);
        for (var start = 0; start < rows.Count; start += groupRows)
            WriteGroup(writer, columns, rows, vectors, start, Math.Min(groupRows, rows.Count - start));
        // Arrow's destructor closes the file as well, but swallows errors such as that of a full disk.
        writer.Close();
    }

    internal override string? WriteProblem(Exception e) => e is ParquetException ? ArrowErrors.Reason(e) : base.WriteProblem(e);

    private static void WriteGroup<TRow>(
        ParquetFileWriter writer,
        IReadOnlyList<TableColumn<TRow>> columns,
        IReadOnlyList<TRow> rows,
        FeatureMatrix? vectors,
        int start,
        int count
    )
    {
        using var group = writer.AppendRowGroup();
        foreach (var column in columns)
        {
            using var next = group.NextColumn();
            ColumnWriting.Write(next, column, rows, start, count);
        }

        if (vectors is not null)
        {
            using var next = (ColumnWriter<float>)group.NextColumn();
            ColumnWriting.WriteVectors(next, vectors, start, count);
        }
    }
}
