using ParquetSharp;
using ParquetSharp.Schema;
using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetSharp;

/// <summary>A column that can be read: its number among the file's leaves, its name, and what it holds.</summary>
internal readonly record struct Leaf(int Index, string Name, ColumnType Type);

/// <summary>The columns of a file: plain ones and lists by their name, the fields of a group one by one as <c>image.bytes</c>.</summary>
internal static class ColumnTree
{
    public static IReadOnlyList<Leaf> Of(SchemaDescriptor schema)
    {
        var leaves = new List<Leaf>();
        var next = 0;
        foreach (var field in schema.GroupNode.Fields)
        {
            if (
                // Lists and maps are groups as well, but each is one column for its reader.
                field is GroupNode { LogicalType.Type: not (LogicalTypeEnum.List or LogicalTypeEnum.Map) } group
                && field.Repetition != Repetition.Repeated
            )
            {
                foreach (var child in group.Fields)
                    Add($"{group.Name}.{child.Name}", child);
            }
            else
            {
                Add(field.Name, field);
            }
        }

        return leaves;

        void Add(string name, Node node)
        {
            leaves.Add(new Leaf(next, name, TypeOf(node)));
            // Readers take a leaf by its number in the whole file, so that leaves that are not listed are counted too.
            next += LeafCount(node);
        }
    }

    private static int LeafCount(Node node) => node is GroupNode group ? group.Fields.Sum(LeafCount) : 1;

    private static ColumnType TypeOf(Node node)
    {
        // A repeated field without a group around it is a list of the old
        // form (LogicalTypes.md, backward compatibility).
        if (node.Repetition == Repetition.Repeated)
            return ColumnTypes.ListOf(node is PrimitiveNode repeated ? Primitive(repeated) : ColumnType.Struct);
        return node switch
        {
            PrimitiveNode primitive => Primitive(primitive),
            GroupNode { LogicalType.Type: LogicalTypeEnum.List } list => ColumnTypes.ListOf(ElementOf(list)),
            GroupNode { LogicalType.Type: LogicalTypeEnum.Map } => ColumnType.Map,
            _ => ColumnType.Struct,
        };
    }

    /// <summary>LogicalTypes.md: a list is a group of one repeated field, which holds the elements or a group with them.</summary>
    private static ColumnType ElementOf(GroupNode list) =>
        list.Fields switch
        {
            [PrimitiveNode element] => Primitive(element),
            [GroupNode { Fields: [var element] }] => TypeOf(element),
            _ => ColumnType.Struct,
        };

    private static ColumnType Primitive(PrimitiveNode node) =>
        (node.LogicalType, node.PhysicalType) switch
        {
            // The logical type first: integers of 8 and 16 bits, texts and dates are stored as other physical types.
            (IntLogicalType { BitWidth: var bits, IsSigned: var signed }, _) => Integer(bits, signed),
            ({ Type: LogicalTypeEnum.String or LogicalTypeEnum.Enum or LogicalTypeEnum.Json }, PhysicalType.ByteArray) => ColumnType.Text,
            ({ Type: LogicalTypeEnum.Decimal }, _) => ColumnType.Decimal,
            ({ Type: LogicalTypeEnum.Date }, _) => ColumnType.Date,
            ({ Type: LogicalTypeEnum.Time }, _) => ColumnType.Time,
            // Int96 has no logical type: it is the form of timestamps before there was one.
            ({ Type: LogicalTypeEnum.Timestamp }, _) or (_, PhysicalType.Int96) => ColumnType.Timestamp,
            ({ Type: LogicalTypeEnum.Float16 }, _) => ColumnType.Float16,
            ({ Type: not (LogicalTypeEnum.None or LogicalTypeEnum.Undefined) }, _) => ColumnType.Other,
            (_, PhysicalType.Boolean) => ColumnType.Boolean,
            (_, PhysicalType.Int32) => ColumnType.Int32,
            (_, PhysicalType.Int64) => ColumnType.Int64,
            (_, PhysicalType.Float) => ColumnType.Float32,
            (_, PhysicalType.Double) => ColumnType.Float64,
            (_, PhysicalType.ByteArray) => ColumnType.Binary,
            _ => ColumnType.Other,
        };

    private static ColumnType Integer(int bits, bool signed) =>
        (bits, signed) switch
        {
            (8, true) => ColumnType.Int8,
            (16, true) => ColumnType.Int16,
            (32, true) => ColumnType.Int32,
            (64, true) => ColumnType.Int64,
            (8, false) => ColumnType.UInt8,
            (16, false) => ColumnType.UInt16,
            (32, false) => ColumnType.UInt32,
            (64, false) => ColumnType.UInt64,
            _ => ColumnType.Other,
        };
}
