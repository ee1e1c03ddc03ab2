using ParquetSharp;
using ParquetSharp.Schema;

namespace TransferPipeline.Tests;

/// <summary>A column for <see cref="TypedParquet"/>: its schema, and how each of its leaves is written.</summary>
/// <param name="Rows">Number of rows.</param>
internal sealed record TypedColumn(Node Node, int Rows, params Action<RowGroupWriter>[] Leaves);

/// <summary>Writes Parquet files of any columns, as other programs do: every value may be missing.</summary>
internal static class TypedParquet
{
    public static TypedColumn Text(string name, params string?[] values) =>
        Column(name, LogicalType.String(), PhysicalType.ByteArray, values);

    public static TypedColumn Int32(string name, params int?[] values) => Column(name, LogicalType.None(), PhysicalType.Int32, values);

    public static TypedColumn Int64(string name, params long?[] values) => Column(name, LogicalType.None(), PhysicalType.Int64, values);

    public static TypedColumn UInt8(string name, params byte?[] values) =>
        Column(name, LogicalType.Int(8, false), PhysicalType.Int32, values);

    public static TypedColumn UInt64(string name, params ulong?[] values) =>
        Column(name, LogicalType.Int(64, false), PhysicalType.Int64, values);

    public static TypedColumn Boolean(string name, params bool?[] values) => Column(name, LogicalType.None(), PhysicalType.Boolean, values);

    public static TypedColumn Float64(string name, params double?[] values) =>
        Column(name, LogicalType.None(), PhysicalType.Double, values);

    public static TypedColumn Binary(string name, params byte[]?[] values) =>
        Column(name, LogicalType.None(), PhysicalType.ByteArray, values);

    public static TypedColumn Date(string name, params Date?[] values) => Column(name, LogicalType.Date(), PhysicalType.Int32, values);

    /// <summary>One list per row: float32 or float64.</summary>
    public static TypedColumn Lists<T>(string name, params T?[]?[] rows)
        where T : struct
    {
        var element = new PrimitiveNode(
            "element",
            Repetition.Optional,
            LogicalType.None(),
            typeof(T) == typeof(float) ? PhysicalType.Float : PhysicalType.Double
        );
        var list = new GroupNode(name, Repetition.Optional, [new GroupNode("list", Repetition.Repeated, [element])], LogicalType.List());
        return new TypedColumn(list, rows.Length, Leaf(rows));
    }

    /// <summary>Photos as the Hugging Face library writes them: a group of bytes and path.</summary>
    public static TypedColumn Images(string name, params (byte[]? Bytes, string? Path)?[] rows)
    {
        var bytes = new PrimitiveNode("bytes", Repetition.Optional, LogicalType.None(), PhysicalType.ByteArray);
        var path = new PrimitiveNode("path", Repetition.Optional, LogicalType.String(), PhysicalType.ByteArray);
        return new TypedColumn(
            new GroupNode(name, Repetition.Optional, [bytes, path]),
            rows.Length,
            Leaf(Array.ConvertAll(rows, row => row is { } image ? new Nested<byte[]?>(image.Bytes) : (Nested<byte[]?>?)null)),
            Leaf(Array.ConvertAll(rows, row => row is { } image ? new Nested<string?>(image.Path) : (Nested<string?>?)null))
        );
    }

    public static void Write(string file, params TypedColumn[] columns) => Write(file, columns, null);

    /// <param name="settings">Changes to the writer's defaults: snappy, pages of version 1.</param>
    /// <param name="metadata">Keys and values of the file.</param>
    /// <param name="repeat">Number of row groups, all of the same rows.</param>
    public static void Write(
        string file,
        IReadOnlyList<TypedColumn> columns,
        Action<WriterPropertiesBuilder>? settings,
        IReadOnlyDictionary<string, string>? metadata = null,
        int repeat = 1
    )
    {
        using var builder = new WriterPropertiesBuilder();
        settings?.Invoke(builder);
        using var schema = new GroupNode("schema", Repetition.Required, [.. columns.Select(column => column.Node)]);
        using var properties = builder.Build();
        using var writer = new ParquetFileWriter(file, schema, properties, metadata);
        for (var i = 0; i < repeat; i++)
        {
            using var group = writer.AppendRowGroup();
            foreach (var leaf in columns.SelectMany(column => column.Leaves))
                leaf(group);
        }

        writer.Close();
    }

    private static TypedColumn Column<T>(string name, LogicalType logical, PhysicalType physical, T[] values) =>
        new(new PrimitiveNode(name, Repetition.Optional, logical, physical), values.Length, Leaf(values));

    private static Action<RowGroupWriter> Leaf<T>(T[] values) =>
        group =>
        {
            using var column = group.NextColumn();
            using var writer = column.LogicalWriterOverride<T>();
            writer.WriteBatch(values);
        };
}
