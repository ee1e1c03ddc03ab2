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
            var lengths = Array.ConvertAll(Cells<byte[]>(table, group, bytes), photo => photo?.LongLength ?? 0);
            var names = Cells<string>(table, group, path);
            var labels = label is null ? null : table.Read(group, label).Data;
            for (var i = 0; i < lengths.Length; i++)
                rows.Add(new PhotoTableRow(lengths[i], names[i], Convert.ToString(labels?.GetValue(i), CultureInfo.InvariantCulture) is { Length: > 0 } text ? text : null));
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
                var cells = Cells<byte[]>(table, group, bytes);
                for (var row = first; row < end; row++)
                    photos.Add(cells[row - start] ?? []);
            }

            start += rows;
        }

        return [.. photos];
    }

    private static T?[] Cells<T>(ParquetFile table, int group, DataField field)
        where T : class
    {
        var rows = table.Rows(group);
        return table.Read(group, field).Data is T?[] cells && cells.Length == rows
            ? cells
            : throw table.Bad($"column '{field.Path}' does not have one {typeof(T).Name} a row");
    }

    private static DataField Leaf(ParquetFile table, string path) =>
        table.Schema.DataFields.FirstOrDefault(f => f.Path.ToString() == path)
        ?? throw new BadInputException($"{table.Name} has no column '{path.Replace('/', '.')}' (it has {string.Join(", ", TypeText.Leaves(table.Schema).Select(c => c.Name))})");
}
