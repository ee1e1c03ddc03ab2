namespace TransferPipeline.Features;

/// <summary>Reading parts back: columns are checked before rows are.</summary>
internal abstract partial class ParquetTable
{
    public (long Rows, long Values)? Shape(string file)
    {
        using var part = OpenVectors(file);
        var groups = Enumerable.Range(0, part.Groups).ToList();
        return (groups.Sum(g => (long)part.Rows(g)), groups.Sum(g => part.Values(g, FeatureColumns.Vector)));
    }

    public List<FeatureRow> ReadRows(string file)
    {
        using var part = OpenPart(file, FeatureColumns.Part);
        var rows = new List<FeatureRow>();
        var names = new Dictionary<string, string>();
        for (var group = 0; group < part.Groups; group++)
        {
            var (path, label, split) = (
                Texts(part, file, group, FeatureColumns.Path),
                Texts(part, file, group, FeatureColumns.Label),
                Texts(part, file, group, FeatureColumns.Split)
            );
            var (view, sha256) = (Int32s(part, file, group, FeatureColumns.View), Texts(part, file, group, FeatureColumns.ImageSha256));
            var (bytes, mtime) = (Int64s(part, file, group, FeatureColumns.Bytes), Int64s(part, file, group, FeatureColumns.Mtime));
            var (width, height) = (Int32s(part, file, group, FeatureColumns.Width), Int32s(part, file, group, FeatureColumns.Height));
            for (var i = 0; i < path.Length; i++)
                rows.Add(
                    new FeatureRow(
                        path[i],
                        Shared(names, label[i]),
                        Shared(names, split[i]),
                        view[i],
                        sha256[i],
                        bytes[i],
                        mtime[i],
                        width[i],
                        height[i]
                    )
                );
        }

        return rows;
    }

    public List<(string Label, string Split)> ReadLabels(string file)
    {
        using var part = OpenPart(file, [FeatureColumns.Label, FeatureColumns.Split]);
        var rows = new List<(string, string)>();
        var names = new Dictionary<string, string>();
        for (var group = 0; group < part.Groups; group++)
        {
            var (labels, splits) = (Texts(part, file, group, FeatureColumns.Label), Texts(part, file, group, FeatureColumns.Split));
            for (var i = 0; i < labels.Length; i++)
                rows.Add((Shared(names, labels[i]), Shared(names, splits[i])));
        }

        return rows;
    }

    public List<FailedRow> ReadFailed(string file)
    {
        using var part = OpenPart(file, FeatureColumns.Failed);
        var rows = new List<FailedRow>();
        for (var group = 0; group < part.Groups; group++)
        {
            var (path, label) = (Texts(part, file, group, FeatureColumns.FailedPath), Texts(part, file, group, FeatureColumns.FailedLabel));
            var (split, sha256) = (
                Texts(part, file, group, FeatureColumns.FailedSplit),
                Texts(part, file, group, FeatureColumns.FailedSha256)
            );
            var (bytes, mtime) = (
                Int64s(part, file, group, FeatureColumns.FailedBytes),
                Int64s(part, file, group, FeatureColumns.FailedMtime)
            );
            var reason = Texts(part, file, group, FeatureColumns.Reason);
            for (var i = 0; i < path.Length; i++)
                rows.Add(new FailedRow(path[i], label[i], split[i], sha256[i], bytes[i], mtime[i], reason[i]));
        }

        return rows;
    }

    public int ReadVectors(string file, FeatureMatrix destination, int firstRow)
    {
        using var part = OpenVectors(file);
        var row = firstRow;
        for (var group = 0; group < part.Groups; group++)
        {
            var count = part.Rows(group);
            // Before reading: a part of another set must not write beyond the matrix.
            if (row + (long)count > destination.Rows)
                throw new BadInputException(
                    $"{file} holds more rows than the {destination.Rows - firstRow} expected; the feature set's manifest and its "
                        + $"parts do not match"
                );
            using var vectors = part.Vectors(group, FeatureColumns.Vector, destination.Columns, row - firstRow);
            vectors.Read(destination.Data.AsSpan(row * destination.Columns, count * destination.Columns));
            row += count;
        }

        return row - firstRow;
    }

    public int ReadBlocks(string file, FeatureMatrix block, int filled, Action full)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(filled, block.Rows);
        using var part = OpenVectors(file);
        var done = 0L;
        for (var group = 0; group < part.Groups; group++)
        {
            var rest = part.Rows(group);
            using var vectors = part.Vectors(group, FeatureColumns.Vector, block.Columns, done);
            while (rest > 0)
            {
                // A block may end within a row group; the rest of the group begins the next block.
                var count = Math.Min(rest, block.Rows - filled);
                vectors.Read(block.Data.AsSpan(filled * block.Columns, count * block.Columns));
                (rest, filled, done) = (rest - count, filled + count, done + count);
                if (filled < block.Rows)
                    continue;
                full();
                filled = 0;
            }
        }

        return filled;
    }

    private IParquetReader OpenPart<TRow>(string file, IReadOnlyList<TableColumn<TRow>> columns)
    {
        var part = Open(file);
        try
        {
            foreach (var column in columns)
                ParquetErrors.RequireColumn(file, part.Description, column.Name, column.Type);
            return part;
        }
        catch
        {
            part.Dispose();
            throw;
        }
    }

    private IParquetReader OpenVectors(string file)
    {
        var part = Open(file);
        try
        {
            ParquetErrors.RequireColumn(file, part.Description, FeatureColumns.Vector, Datasets.ColumnType.Float32List);
            return part;
        }
        catch
        {
            part.Dispose();
            throw;
        }
    }

    /// <summary>Labels and splits are few: one string each for the whole set.</summary>
    private static string Shared(Dictionary<string, string> names, string text) =>
        names.TryGetValue(text, out var known) ? known : names[text] = text;

    private static string[] Texts<TRow>(IParquetReader part, string file, int group, TextColumn<TRow> column) =>
        Array.ConvertAll(part.Texts(group, column.Name), text => text ?? throw ParquetErrors.NoValue(file, column.Name));

    private static int[] Int32s<TRow>(IParquetReader part, string file, int group, Int32Column<TRow> column) =>
        Array.ConvertAll(part.Int32s(group, column.Name), value => value ?? throw ParquetErrors.NoValue(file, column.Name));

    private static long[] Int64s<TRow>(IParquetReader part, string file, int group, Int64Column<TRow> column) =>
        Array.ConvertAll(part.Int64s(group, column.Name), value => value ?? throw ParquetErrors.NoValue(file, column.Name));
}
