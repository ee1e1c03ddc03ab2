using System.Globalization;
using Parquet.Schema;
using TransferPipeline.Datasets;

namespace TransferPipeline.ParquetNet;

/// <summary>Photos out of Hugging Face's Parquet files: a row group at a time, others are passed over.</summary>
public sealed partial class ParquetNetTable
{
    public ParquetDescription Describe(string file)
    {
        using var table = ParquetFile.Open(file);
        var rows = Enumerable.Range(0, table.Groups).Sum(group => (long)table.Rows(group));
        return new ParquetDescription(TypeText.Leaves(table.Schema), table.Metadata, rows);
    }

    public List<PhotoTableRow> ReadIndex(string file, string imageColumn, string? labelColumn)
    {
        using var table = ParquetFile.Open(file);
        var (bytes, path) = (Leaf(table, $"{imageColumn}/bytes"), Leaf(table, $"{imageColumn}/path"));
        var label = labelColumn is null ? null : Leaf(table, labelColumn);
        var rows = new List<PhotoTableRow>();
        for (var group = 0; group < table.Groups; group++)
        {
            var lengths = Array.ConvertAll(Cells<ReadOnlyMemory<byte>>(table, group, bytes), photo => (long)(photo?.Length ?? 0));
            var names = TextCells(table, group, path);
            var labels = label is null ? null : LabelTexts(table, group, label);
            for (var i = 0; i < lengths.Length; i++)
                rows.Add(new PhotoTableRow(lengths[i], names[i], labels?[i] is { Length: > 0 } text ? text : null));
        }

        return rows;
    }

    public byte[][] ReadPhotos(string file, string imageColumn, int firstRow, int count)
    {
        using var table = ParquetFile.Open(file);
        var bytes = Leaf(table, $"{imageColumn}/bytes");
        var photos = new List<byte[]>(count);
        var start = 0L;
        for (var group = 0; group < table.Groups && start < (long)firstRow + count; group++)
        {
            var rows = table.Rows(group);
            var (first, end) = (Math.Max(firstRow, start), Math.Min((long)firstRow + count, start + rows));
            if (first < end)
            {
                var cells = Cells<ReadOnlyMemory<byte>>(table, group, bytes);
                for (var row = first; row < end; row++)
                    photos.Add(cells[row - start]?.ToArray() ?? []);
            }

            start += rows;
        }

        return [.. photos];
    }

    private static string?[] TextCells(ParquetFile table, int group, DataField field) =>
        Array.ConvertAll(Cells<ReadOnlyMemory<char>>(table, group, field), text => text is { } chars ? new string(chars.Span) : null);

    private static string?[] LabelTexts(ParquetFile table, int group, DataField field) => Type.GetTypeCode(field.ClrType) switch
    {
        TypeCode.Boolean => Written<bool>(table, group, field),
        TypeCode.SByte => Written<sbyte>(table, group, field),
        TypeCode.Byte => Written<byte>(table, group, field),
        TypeCode.Int16 => Written<short>(table, group, field),
        TypeCode.UInt16 => Written<ushort>(table, group, field),
        TypeCode.Int32 => Written<int>(table, group, field),
        TypeCode.UInt32 => Written<uint>(table, group, field),
        TypeCode.Int64 => Written<long>(table, group, field),
        TypeCode.UInt64 => Written<ulong>(table, group, field),
        TypeCode.Single => Written<float>(table, group, field),
        TypeCode.Double => Written<double>(table, group, field),
        _ => TextCells(table, group, field),
    };

    private static string?[] Written<T>(ParquetFile table, int group, DataField field)
        where T : struct => Array.ConvertAll(Cells<T>(table, group, field), value => Convert.ToString(value, CultureInfo.InvariantCulture));

    /// <summary>One value a row, null where there is none.</summary>
    private static T?[] Cells<T>(ParquetFile table, int group, DataField field)
        where T : struct
    {
        var column = table.Read<T>(group, field);
        var rows = table.Rows(group);
        if (column.Values.Length != rows || column.Starts is not null)
            throw table.Bad($"column '{field.Path}' does not have one {typeof(T).Name} a row");
        var cells = new T?[rows];
        for (int i = 0, next = 0; i < rows; i++)
            cells[i] = column.Levels is { } levels && levels[i] != column.Defined ? null : column.Values[next++];
        return cells;
    }

    private static DataField Leaf(ParquetFile table, string path) =>
        table.Schema.DataFields.FirstOrDefault(f => f.Path.ToString() == path)
        ?? throw new BadInputException($"{table.Name} has no column '{path.Replace('/', '.')}' (it has {string.Join(", ", TypeText.Leaves(table.Schema).Select(c => c.Name))})");
}
