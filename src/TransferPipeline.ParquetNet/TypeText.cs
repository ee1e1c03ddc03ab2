using Parquet.Schema;

namespace TransferPipeline.ParquetNet;

/// <summary>Types of columns in SQL's words, the same as the DuckDB adapter's.</summary>
internal static class TypeText
{
    private static readonly Dictionary<Type, string> Names = new()
    {
        [typeof(ReadOnlyMemory<char>)] = "VARCHAR",
        [typeof(ReadOnlyMemory<byte>)] = "BLOB",
        [typeof(bool)] = "BOOLEAN",
        [typeof(sbyte)] = "TINYINT",
        [typeof(short)] = "SMALLINT",
        [typeof(int)] = "INTEGER",
        [typeof(long)] = "BIGINT",
        [typeof(byte)] = "UTINYINT",
        [typeof(ushort)] = "USMALLINT",
        [typeof(uint)] = "UINTEGER",
        [typeof(ulong)] = "UBIGINT",
        [typeof(float)] = "FLOAT",
        [typeof(double)] = "DOUBLE",
        [typeof(DateTime)] = "TIMESTAMP",
        [typeof(decimal)] = "DECIMAL",
    };

    public static string Of(Field field) => field switch
    {
        DataField data => (Names.GetValueOrDefault(data.ClrType) ?? data.ClrType.Name.ToUpperInvariant()) + (data.IsArray ? "[]" : ""),
        ListField list => Of(list.Item) + "[]",
        StructField structure => $"STRUCT({string.Join(", ", structure.Fields.Select(f => $"{f.Name} {Of(f)}"))})",
        _ => field.SchemaType.ToString().ToUpperInvariant(),
    };

    /// <summary>Columns with their types; those of a struct one by one, as <c>image.bytes</c>.</summary>
    public static IReadOnlyList<(string Name, string Type)> Leaves(ParquetSchema schema) =>
        [.. schema.Fields.SelectMany(field => field is StructField structure
            ? structure.Fields.Select(child => ($"{field.Name}.{child.Name}", Of(child)))
            : [(field.Name, Of(field))])];
}
