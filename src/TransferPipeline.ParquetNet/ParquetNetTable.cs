using Parquet;
using Parquet.Schema;
using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetNet;

/// <summary>Feature sets and photo tables by Parquet.Net, which is managed code alone. Thread-safe.</summary>
internal sealed class ParquetNetTable : ParquetTable
{
    private const string VectorElement = FeatureColumns.Vector + "/list/element";

    /// <summary>Writes parts in the default format.</summary>
    public ParquetNetTable()
        : this(PartFormat.Default) { }

    internal ParquetNetTable(PartFormat format)
        : base(format) { }

    public override string Name => $"Parquet.Net {AssemblyVersion.Of(typeof(ParquetReader).Assembly)}";

    internal override IParquetReader OpenReader(string file) => ParquetFile.Open(file);

    internal override void WriteFile<TRow>(
        string file,
        IReadOnlyList<TableColumn<TRow>> columns,
        IReadOnlyList<TRow> rows,
        FeatureMatrix? vectors,
        int groupRows
    )
    {
        using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        WriteStream(stream, columns, rows, vectors, groupRows).GetAwaiter().GetResult();
    }

    private async Task WriteStream<TRow>(
        Stream stream,
        IReadOnlyList<TableColumn<TRow>> columns,
        IReadOnlyList<TRow> rows,
        FeatureMatrix? vectors,
        int groupRows
    )
    {
        var fields = columns.Select(Field).ToList();
        if (vectors is not null)
            fields.Add(new ListField(FeatureColumns.Vector, new DataField<float>(ListField.ElementName)));
        var schema = new ParquetSchema(fields);
        // Disposed of before the caller closes the stream, since the footer is written then.
        await using var writer = await ParquetWriter.CreateAsync(schema, stream, Options());
        for (var start = 0; start < rows.Count; start += groupRows)
        {
            var count = Math.Min(groupRows, rows.Count - start);
            using var group = writer.CreateRowGroup();
            for (var c = 0; c < columns.Count; c++)
                await WriteColumn(group, schema.DataFields[c], columns[c], rows, start, count);
            if (vectors is not null)
                await WriteVectors(group, schema.DataFields[^1], vectors, start, count);
        }
    }

    private ParquetOptions Options()
    {
        var options = new ParquetOptions
        {
            CompressionMethod = Format.Compression switch
            {
                PartCompression.Snappy => CompressionMethod.Snappy,
                PartCompression.Zstd => CompressionMethod.Zstd,
                _ => CompressionMethod.None,
            },
            // Parquet.Net takes the levels of .NET, which have names in place of zstd's numbers.
            CompressionLevel =
                Format.Level > 1 ? System.IO.Compression.CompressionLevel.Optimal : System.IO.Compression.CompressionLevel.Fastest,
        };
        if (Format.ByteStreamSplit)
            options.ColumnEncodingHints[VectorElement] = EncodingHint.ByteSplitStream;
        return options;
    }

    private static Field Field<TRow>(TableColumn<TRow> column) =>
        column switch
        {
            TextColumn<TRow> => new DataField(column.Name, typeof(string), isNullable: false),
            Int32Column<TRow> => new DataField<int>(column.Name),
            Int64Column<TRow> => new DataField<long>(column.Name),
            _ => throw new NotSupportedException($"no Parquet type for {column.Type.Text()}"),
        };

    private static Task WriteColumn<TRow>(
        ParquetRowGroupWriter group,
        DataField field,
        TableColumn<TRow> column,
        IReadOnlyList<TRow> rows,
        int start,
        int count
    ) =>
        column switch
        {
            TextColumn<TRow> text => WriteValues(group, field, rows, start, count, row => text.Value(row).AsMemory()),
            Int32Column<TRow> numbers => WriteValues(group, field, rows, start, count, numbers.Value),
            Int64Column<TRow> numbers => WriteValues(group, field, rows, start, count, numbers.Value),
            _ => throw new NotSupportedException($"no writer for column '{column.Name}'"),
        };

    private static Task WriteValues<TRow, T>(
        ParquetRowGroupWriter group,
        DataField field,
        IReadOnlyList<TRow> rows,
        int start,
        int count,
        Func<TRow, T> value
    )
        where T : struct
    {
        var values = new T[count];
        for (var i = 0; i < count; i++)
            values[i] = value(rows[start + i]);
        return group.WriteAsync<T>(field, values);
    }

    private static Task WriteVectors(ParquetRowGroupWriter group, DataField field, FeatureMatrix vectors, int start, int count)
    {
        var columns = vectors.Columns;
        // Fits in an int: a row group has about PartFormat.RowGroupBytes of vectors.
        var length = count * columns;
        var (levels, repetitions) = (new int[length], new int[length]);
        Array.Fill(levels, field.MaxDefinitionLevel);
        // Repetition level 0 begins a row, the highest one goes on with its list.
        Array.Fill(repetitions, field.MaxRepetitionLevel);
        for (var i = 0; i < count; i++)
            repetitions[i * columns] = 0;
        return group.WriteAllPartsAsync<float>(field, vectors.Data.AsMemory(start * columns, length), levels, repetitions, default);
    }
}
