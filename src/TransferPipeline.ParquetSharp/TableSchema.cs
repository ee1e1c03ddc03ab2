using ParquetSharp;
using ParquetSharp.Schema;
using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetSharp;

/// <summary>Schema and settings of the files that we write.</summary>
internal static class TableSchema
{
    private const string Root = "root";

    /// <summary>Required columns in their order; vectors as a list of three levels, as LogicalTypes.md has it.</summary>
    public static GroupNode Of<TRow>(IReadOnlyList<TableColumn<TRow>> columns, bool vectors)
    {
        var fields = columns.Select(Field).ToList();
        if (vectors)
            fields.Add(Vector());
        return new GroupNode(Root, Repetition.Required, fields);
    }

    /// <summary>Nothing in the file but the values: no statistics, and a dictionary only where values repeat.</summary>
    public static WriterProperties Properties<TRow>(IReadOnlyList<TableColumn<TRow>> columns, PartFormat format)
    {
        using var builder = new WriterPropertiesBuilder();
        builder.DisableStatistics().SetSizeStatisticsLevel(SizeStatisticsLevel.None).DisableDictionary();
        foreach (var column in columns.Where(column => column.Repeats))
            builder.EnableDictionary(column.Name);
        builder.Compression(
            format.Compression switch
            {
                PartCompression.Snappy => Compression.Snappy,
                PartCompression.Zstd => Compression.Zstd,
                _ => Compression.Uncompressed,
            }
        );
        if (format.Compression == PartCompression.Zstd)
            builder.CompressionLevel(format.Level);
        if (format.ByteStreamSplit)
            builder.Encoding($"{FeatureColumns.Vector}.list.element", Encoding.ByteStreamSplit);
        return builder.Build();
    }

    private static Node Field<TRow>(TableColumn<TRow> column) =>
        column switch
        {
            TextColumn<TRow> => new PrimitiveNode(column.Name, Repetition.Required, LogicalType.String(), PhysicalType.ByteArray),
            Int32Column<TRow> => new PrimitiveNode(column.Name, Repetition.Required, LogicalType.None(), PhysicalType.Int32),
            Int64Column<TRow> => new PrimitiveNode(column.Name, Repetition.Required, LogicalType.None(), PhysicalType.Int64),
            _ => throw new NotSupportedException($"no Parquet type for {column.Type.Text()}"),
        };

    private static GroupNode Vector()
    {
        var element = new PrimitiveNode("element", Repetition.Required, LogicalType.None(), PhysicalType.Float);
        var list = new GroupNode("list", Repetition.Repeated, [element]);
        return new GroupNode(FeatureColumns.Vector, Repetition.Required, [list], LogicalType.List());
    }
}
