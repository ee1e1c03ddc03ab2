using Parquet.Schema;
using TransferPipeline.Datasets;

namespace TransferPipeline.ParquetNet;

/// <summary>
/// A column that can be read: its name, what it holds, and Parquet.Net's field; null for a list or group that is more than one field.
/// </summary>
internal readonly record struct Leaf(string Name, ColumnType Type, DataField? Field);

/// <summary>The columns of a file: plain ones and lists by their name, the fields of a group one by one as <c>image.bytes</c>.</summary>
internal static class ColumnTree
{
    private static readonly Dictionary<Type, ColumnType> Types = new()
    {
        [typeof(ReadOnlyMemory<char>)] = ColumnType.Text,
        [typeof(string)] = ColumnType.Text,
        [typeof(ReadOnlyMemory<byte>)] = ColumnType.Binary,
        [typeof(byte[])] = ColumnType.Binary,
        [typeof(bool)] = ColumnType.Boolean,
        [typeof(sbyte)] = ColumnType.Int8,
        [typeof(short)] = ColumnType.Int16,
        [typeof(int)] = ColumnType.Int32,
        [typeof(long)] = ColumnType.Int64,
        [typeof(byte)] = ColumnType.UInt8,
        [typeof(ushort)] = ColumnType.UInt16,
        [typeof(uint)] = ColumnType.UInt32,
        [typeof(ulong)] = ColumnType.UInt64,
        [typeof(Half)] = ColumnType.Float16,
        [typeof(float)] = ColumnType.Float32,
        [typeof(double)] = ColumnType.Float64,
        [typeof(decimal)] = ColumnType.Decimal,
        [typeof(DateOnly)] = ColumnType.Date,
        [typeof(TimeOnly)] = ColumnType.Time,
        [typeof(TimeSpan)] = ColumnType.Time,
        [typeof(DateTime)] = ColumnType.Timestamp,
    };

    public static IReadOnlyList<Leaf> Of(ParquetSchema schema) =>
        [
            .. schema.Fields.SelectMany(field =>
                field is StructField structure
                    ? structure.Fields.Select(child => LeafOf($"{field.Name}.{child.Name}", child))
                    : [LeafOf(field.Name, field)]
            ),
        ];

    private static Leaf LeafOf(string name, Field field) =>
        new(
            name,
            TypeOf(field),
            field switch
            {
                DataField data => data,
                // The data of a list of plain values are those of its element's field.
                ListField { Item: DataField element } => element,
                _ => null,
            }
        );

    private static ColumnType TypeOf(Field field) =>
        field switch
        {
            DataField { IsArray: true } data => ColumnTypes.ListOf(Types.GetValueOrDefault(data.ClrType)),
            // For Parquet.Net a date is a DateTime; only its format distinguishes it from a timestamp.
            DateTimeDataField { DateTimeFormat: DateTimeFormat.Date } => ColumnType.Date,
            DataField data => Types.GetValueOrDefault(data.ClrType),
            ListField list => ColumnTypes.ListOf(TypeOf(list.Item)),
            MapField => ColumnType.Map,
            _ => ColumnType.Struct,
        };
}
