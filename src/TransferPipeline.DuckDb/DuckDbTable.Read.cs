using TransferPipeline.Features;

namespace TransferPipeline.DuckDb;

/// <summary>Reading parts back: columns are checked before rows are, vectors go straight into the matrix.</summary>
public sealed partial class DuckDbTable
{
    private const string Vector = "vector";

    private static readonly (string Name, string Type)[] RowColumns =
    [
        ("path", "VARCHAR"), ("label", "VARCHAR"), ("split", "VARCHAR"), ("view", "INTEGER"), ("image_sha256", "VARCHAR"),
        ("bytes", "BIGINT"), ("mtime", "BIGINT"), ("width", "INTEGER"), ("height", "INTEGER"),
    ];

    private static readonly (string Name, string Type)[] LabelColumns = [("label", "VARCHAR"), ("split", "VARCHAR")];

    private static readonly (string Name, string Type)[] VectorColumn = [(Vector, "FLOAT[]")];

    private static readonly (string Name, string Type)[] FailedColumns =
    [
        ("path", "VARCHAR"), ("label", "VARCHAR"), ("split", "VARCHAR"), ("image_sha256", "VARCHAR"),
        ("bytes", "BIGINT"), ("mtime", "BIGINT"), ("reason", "VARCHAR"),
    ];

    public List<FeatureRow> ReadRows(string file) => Read(file, connection =>
    {
        var rows = new List<FeatureRow>();
        var names = new Dictionary<string, string>();
        Scan(connection, file, RowColumns, chunk =>
        {
            rows.EnsureCapacity(rows.Count + chunk.Rows);
            AddRows(chunk, rows, names);
        });
        return rows;
    });

    public List<FailedRow> ReadFailed(string file) => Read(file, connection =>
    {
        var rows = new List<FailedRow>();
        Scan(connection, file, FailedColumns, chunk =>
        {
            var bytes = chunk.Longs(4);
            var mtime = chunk.Longs(5);
            for (var i = 0; i < chunk.Rows; i++)
                rows.Add(new FailedRow(chunk.Text(0, i), chunk.Text(1, i), chunk.Text(2, i), chunk.Text(3, i), bytes[i], mtime[i], chunk.Text(6, i)));
        });
        return rows;
    });

    public List<(string Label, string Split)> ReadLabels(string file) => Read(file, connection =>
    {
        var rows = new List<(string, string)>();
        var names = new Dictionary<string, string>();
        Scan(connection, file, LabelColumns, chunk =>
        {
            rows.EnsureCapacity(rows.Count + chunk.Rows);
            for (var i = 0; i < chunk.Rows; i++)
                rows.Add((Shared(names, chunk.Text(0, i)), Shared(names, chunk.Text(1, i))));
        });
        return rows;
    });

    public int ReadVectors(string file, FeatureMatrix destination, int firstRow) => Read(file, connection =>
    {
        var row = firstRow;
        Scan(connection, file, VectorColumn, chunk =>
        {
            if (row + chunk.Rows > destination.Rows)
                throw new BadInputException($"{file} holds more rows than the {destination.Rows - firstRow} expected; the feature set's manifest and its parts do not match");
            CopyVectors(file, chunk, 0, chunk.Rows, destination, row, row - firstRow);
            row += chunk.Rows;
        });
        return row - firstRow;
    });

    public int ReadBlocks(string file, FeatureMatrix block, int filled, Action full)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(filled, block.Rows);
        return Read(file, connection =>
        {
            var done = 0L;
            Scan(connection, file, VectorColumn, chunk =>
            {
                for (var i = 0; i < chunk.Rows;)
                {
                    var count = Math.Min(chunk.Rows - i, block.Rows - filled);
                    CopyVectors(file, chunk, i, count, block, filled, done);
                    (i, filled, done) = (i + count, filled + count, done + count);
                    if (filled < block.Rows)
                        continue;
                    full();
                    filled = 0;
                }
            });
            return filled;
        });
    }

    private static void AddRows(ChunkReader chunk, List<FeatureRow> rows, Dictionary<string, string> names)
    {
        var view = chunk.Ints(3);
        var bytes = chunk.Longs(5);
        var mtime = chunk.Longs(6);
        var width = chunk.Ints(7);
        var height = chunk.Ints(8);
        for (var i = 0; i < chunk.Rows; i++)
            rows.Add(new FeatureRow(chunk.Text(0, i), Shared(names, chunk.Text(1, i)), Shared(names, chunk.Text(2, i)), view[i], chunk.Text(4, i), bytes[i], mtime[i], width[i], height[i]));
    }

    /// <summary>Labels and splits are few: one string each for the whole set.</summary>
    private static string Shared(Dictionary<string, string> names, string text) => names.TryGetValue(text, out var known) ? known : names[text] = text;

    /// <summary>Copies <paramref name="count"/> vectors of a chunk; neighbours in the file are neighbours in memory, so mostly in one go.</summary>
    private static void CopyVectors(
        string file, ChunkReader chunk, int first, int count, FeatureMatrix destination, int destinationRow, long fileRow)
    {
        var lists = chunk.Lists(0).Slice(first, count);
        var values = chunk.ListValues(0);
        var width = (ulong)destination.Columns;
        var contiguous = true;
        for (var i = 0; i < count; i++)
        {
            if (lists[i].Length != width)
                throw new BadInputException($"{file}: the vector of row {fileRow + i} has {lists[i].Length} values, expected {width}; the file is damaged or of another feature set");
            contiguous &= lists[i].Offset == lists[0].Offset + (ulong)i * width;
        }

        var target = destination.Data.AsSpan(destinationRow * destination.Columns, count * destination.Columns);
        if (contiguous && count > 0)
        {
            values.Slice((int)lists[0].Offset, target.Length).CopyTo(target);
            return;
        }

        for (var i = 0; i < count; i++)
            values.Slice((int)lists[i].Offset, destination.Columns).CopyTo(target[(i * destination.Columns)..]);
    }

    private static void Scan(Connection connection, string file, (string Name, string Type)[] columns, Action<ChunkReader> chunk)
    {
        using var statement = PrepareChecked(connection, file, columns);
        using var reader = statement.Execute();
        while (reader.Next())
        {
            for (var c = 0; c < columns.Length; c++)
            {
                if (reader.AnyNull(c) || (columns[c].Name == Vector && reader.AnyNullElement(c)))
                    throw new BadInputException($"{file}: column '{columns[c].Name}' has rows without a value; a feature set has none");
            }

            chunk(reader);
        }
    }

    /// <summary>Prepares the reading of the columns after making sure that they are there and of the right types.</summary>
    private static Statement PrepareChecked(Connection connection, string file, (string Name, string Type)[] columns)
    {
        List<(string Name, string Type)> found;
        using (var all = connection.Prepare($"SELECT * {From(file)}"))
            found = all.Columns();
        foreach (var (name, type) in columns)
        {
            var actual = found.Find(column => column.Name == name).Type
                ?? throw new BadInputException(
                    $"{file} has no column '{name}' (it has {string.Join(", ", found.Select(f => f.Name))}); expected a part of a feature set as 'transfer extract' writes it");
            if (actual != type)
                throw new BadInputException($"{file}: column '{name}' is of type {actual}, expected {type}; expected a part of a feature set as 'transfer extract' writes it");
        }

        return connection.Prepare($"SELECT {string.Join(", ", columns.Select(column => column.Name))} {From(file)}");
    }
}
