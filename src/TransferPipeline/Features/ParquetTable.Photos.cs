using TransferPipeline.Datasets;

namespace TransferPipeline.Features;

/// <summary>Photos out of Hugging Face's Parquet files: a row group at a time, others are passed over.</summary>
internal abstract partial class ParquetTable
{
    public ParquetDescription Describe(string file)
    {
        using var table = Open(file);
        return table.Description;
    }

    public List<PhotoTableRow> ReadIndex(string file, string imageColumn, string? labelColumn)
    {
        using var table = Open(file);
        var (bytes, path) = (ImageColumn(table, file, imageColumn), $"{imageColumn}.path");
        // Where no row has a path, some writers give the column no type either.
        var hasPaths = table.Description.Columns.Contains((path, ColumnType.Text));
        if (labelColumn is not null)
            ParquetErrors.RequireLabel(file, table.Description, labelColumn);
        var rows = new List<PhotoTableRow>();
        for (var group = 0; group < table.Groups; group++)
        {
            var names = hasPaths ? table.Texts(group, path) : null;
            var labels = labelColumn is null ? null : table.Labels(group, labelColumn);
            table.Binaries(
                group,
                bytes,
                0,
                table.Rows(group),
                (row, photo) => rows.Add(new PhotoTableRow(photo.Length, names?[row], labels?[row] is { Length: > 0 } text ? text : null))
            );
        }

        return rows;
    }

    public byte[][] ReadPhotos(string file, string imageColumn, int firstRow, int count)
    {
        using var table = Open(file);
        var bytes = ImageColumn(table, file, imageColumn);
        var photos = new List<byte[]>(count);
        var start = 0L;
        for (var group = 0; group < table.Groups && start < (long)firstRow + count; group++)
        {
            var rows = table.Rows(group);
            var (first, end) = ((int)(Math.Max(firstRow, start) - start), (int)(Math.Min((long)firstRow + count, start + rows) - start));
            if (first < end)
                table.Binaries(group, bytes, first, end - first, (_, photo) => photos.Add(photo.ToArray()));

            start += rows;
        }

        return [.. photos];
    }

    private static string ImageColumn(IParquetReader table, string file, string imageColumn)
    {
        string[] names = [$"{imageColumn}.bytes", imageColumn];
        return Array.Find(names, name => table.Description.Columns.Contains((name, ColumnType.Binary)))
            ?? throw new BadInputException(
                $"{file} has no image column '{imageColumn}'; expected a struct of 'bytes' and 'path' as Hugging Face's datasets "
                    + $"library writes it"
            );
    }
}
