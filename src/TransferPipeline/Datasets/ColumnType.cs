namespace TransferPipeline.Datasets;

/// <summary>What a column of a Parquet file holds, whichever library reads it.</summary>
public enum ColumnType
{
    /// <summary>A type that none of the others is.</summary>
    Other,

    /// <summary>A string.</summary>
    Text,

    /// <summary>Bytes.</summary>
    Binary,

    /// <summary>true or false.</summary>
    Boolean,

    /// <summary>A signed integer of 8 bits.</summary>
    Int8,

    /// <summary>A signed integer of 16 bits.</summary>
    Int16,

    /// <summary>A signed integer of 32 bits.</summary>
    Int32,

    /// <summary>A signed integer of 64 bits.</summary>
    Int64,

    /// <summary>An unsigned integer of 8 bits.</summary>
    UInt8,

    /// <summary>An unsigned integer of 16 bits.</summary>
    UInt16,

    /// <summary>An unsigned integer of 32 bits.</summary>
    UInt32,

    /// <summary>An unsigned integer of 64 bits.</summary>
    UInt64,

    /// <summary>A number of half precision.</summary>
    Float16,

    /// <summary>A number of single precision.</summary>
    Float32,

    /// <summary>A number of double precision.</summary>
    Float64,

    /// <summary>A decimal number.</summary>
    Decimal,

    /// <summary>A day.</summary>
    Date,

    /// <summary>A time of day.</summary>
    Time,

    /// <summary>A day with a time.</summary>
    Timestamp,

    /// <summary>One list of float32 values per row: what a vector is.</summary>
    Float32List,

    /// <summary>One list of float64 values per row.</summary>
    Float64List,

    /// <summary>A list of another type.</summary>
    List,

    /// <summary>Keys with values.</summary>
    Map,

    /// <summary>A group of columns inside a list or group, or an empty one.</summary>
    Struct,
}

/// <summary>What the types are called and which may be labels.</summary>
internal static class ColumnTypes
{
    /// <summary>For messages: <c>text</c>, <c>int32</c>, <c>float32 list</c>.</summary>
    public static string Text(this ColumnType type) =>
        type switch
        {
            ColumnType.Float32List => "float32 list",
            ColumnType.Float64List => "float64 list",
            ColumnType.Other => "of another type",
            _ => type.ToString().ToLowerInvariant(),
        };

    /// <summary>
    /// Whether a row's value can be written as text without loss: text itself, whole numbers, yes and no, and floating-point numbers.
    /// </summary>
    public static bool CanBeLabel(this ColumnType type) =>
        // The range relies on the order of the members: Boolean, then the integers from Int8 to UInt64.
        type
            is ColumnType.Text
                or ColumnType.Binary
                or (>= ColumnType.Boolean and <= ColumnType.UInt64)
                or ColumnType.Float32
                or ColumnType.Float64;

    /// <summary>The type of a list of such elements.</summary>
    public static ColumnType ListOf(ColumnType element) =>
        element switch
        {
            ColumnType.Float32 => ColumnType.Float32List,
            ColumnType.Float64 => ColumnType.Float64List,
            _ => ColumnType.List,
        };
}
