using Parquet.Schema;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetNet;

/// <summary>Reading parts back, a row group at a time: columns are checked before rows are.</summary>
public sealed partial class ParquetNetTable
{
    public List<FeatureRow> ReadRows(string file)
    {
        using var part = ParquetFile.Open(file);
        var fields = Check(part, RowFields);
        var rows = new List<FeatureRow>();
        var names = new Dictionary<string, string>();
        for (var group = 0; group < part.Groups; group++)
            AddRows(part, group, fields, rows, names);
        return rows;
    }

    public List<FailedRow> ReadFailed(string file)
    {
        using var part = ParquetFile.Open(file);
        var fields = Check(part, FailedFields);
        var rows = new List<FailedRow>();
        for (var group = 0; group < part.Groups; group++)
        {
            var texts = new[] { 0, 1, 2, 3, 6 }.Select(c => Texts(part, group, fields[c])).ToArray();
            var (bytes, mtime) = (Column<long>(part, group, fields[4]), Column<long>(part, group, fields[5]));
            for (var i = 0; i < bytes.Length; i++)
                rows.Add(new FailedRow(texts[0][i], texts[1][i], texts[2][i], texts[3][i], bytes[i], mtime[i], texts[4][i]));
        }

        return rows;
    }

    public List<(string Label, string Split)> ReadLabels(string file)
    {
        using var part = ParquetFile.Open(file);
        var fields = Check(part, LabelFields);
        var rows = new List<(string, string)>();
        var names = new Dictionary<string, string>();
        for (var group = 0; group < part.Groups; group++)
        {
            var (labels, splits) = (Texts(part, group, fields[0]), Texts(part, group, fields[1]));
            for (var i = 0; i < labels.Length; i++)
                rows.Add((Shared(names, labels[i]), Shared(names, splits[i])));
        }

        return rows;
    }

    public int ReadVectors(string file, FeatureMatrix destination, int firstRow)
    {
        using var part = ParquetFile.Open(file);
        var field = Check(part, [VectorField()])[0];
        var row = firstRow;
        for (var group = 0; group < part.Groups; group++)
        {
            var count = part.Rows(group);
            if (row + (long)count > destination.Rows)
                throw new BadInputException($"{file} holds more rows than the {destination.Rows - firstRow} expected; the feature set's manifest and its parts do not match");
            var vectors = Vectors(part, group, field, destination.Columns, row - firstRow);
            vectors.CopyTo(destination.Data.AsSpan(row * destination.Columns));
            row += count;
        }

        return row - firstRow;
    }

    public int ReadBlocks(string file, FeatureMatrix block, int filled, Action full)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(filled, block.Rows);
        using var part = ParquetFile.Open(file);
        var field = Check(part, [VectorField()])[0];
        var done = 0L;
        for (var group = 0; group < part.Groups; group++)
        {
            var vectors = Vectors(part, group, field, block.Columns, done);
            for (var groupRows = vectors.Length / block.Columns; groupRows > 0;)
            {
                var count = Math.Min(groupRows, block.Rows - filled);
                vectors.AsSpan(vectors.Length - groupRows * block.Columns, count * block.Columns).CopyTo(block.Data.AsSpan(filled * block.Columns));
                (groupRows, filled, done) = (groupRows - count, filled + count, done + count);
                if (filled < block.Rows)
                    continue;
                full();
                filled = 0;
            }
        }

        return filled;
    }

    private static void AddRows(ParquetFile part, int group, DataField[] fields, List<FeatureRow> rows, Dictionary<string, string> names)
    {
        var (path, label, split) = (Texts(part, group, fields[0]), Texts(part, group, fields[1]), Texts(part, group, fields[2]));
        var (view, sha256) = (Column<int>(part, group, fields[3]), Texts(part, group, fields[4]));
        var (bytes, mtime) = (Column<long>(part, group, fields[5]), Column<long>(part, group, fields[6]));
        var (width, height) = (Column<int>(part, group, fields[7]), Column<int>(part, group, fields[8]));
        rows.EnsureCapacity(rows.Count + path.Length);
        for (var i = 0; i < path.Length; i++)
            rows.Add(new FeatureRow(path[i], Shared(names, label[i]), Shared(names, split[i]), view[i], sha256[i], bytes[i], mtime[i], width[i], height[i]));
    }

    /// <summary>Labels and splits are few: one string each for the whole set.</summary>
    private static string Shared(Dictionary<string, string> names, string text) => names.TryGetValue(text, out var known) ? known : names[text] = text;

    /// <summary>The texts of a column of a row group, one a row.</summary>
    private static string[] Texts(ParquetFile part, int group, DataField field) =>
        Array.ConvertAll(Column<ReadOnlyMemory<char>>(part, group, field), text => new string(text.Span));

    /// <summary>The values of a column of a row group, one a row.</summary>
    private static T[] Column<T>(ParquetFile part, int group, DataField field)
        where T : struct
    {
        var column = part.Read<T>(group, field);
        if (column.HasNulls)
            throw NoValue(part, field.Name);
        var rows = part.Rows(group);
        return column.Values.Length == rows ? column.Values : throw part.Bad($"column '{field.Name}' has {column.Values.Length} values in a row group of {rows} rows");
    }

    /// <summary>The vectors of a row group, one after the other.</summary>
    /// <param name="width">Expected length of each; 0 when the first one decides.</param>
    /// <param name="fileRow">Number of the group's first row, for messages.</param>
    private static float[] Vectors(ParquetFile part, int group, DataField field, int width, long fileRow)
    {
        var column = part.Read<float>(group, field);
        if (column.HasNulls)
            throw NoValue(part, Vector);
        var (values, starts) = (column.Values, column.Starts ?? []);
        if (starts.Length != values.Length)
            throw part.Bad($"column '{Vector}' has {values.Length} values and {starts.Length} repetition levels");
        var row = 0;
        for (var start = 0; start < values.Length; row++)
        {
            var rest = starts.AsSpan(start + 1).IndexOf(0);
            var length = rest < 0 ? values.Length - start : rest + 1;
            if (length != width)
                throw new BadInputException($"{part.Name}: the vector of row {fileRow + row} has {length} values, expected {width}; the file is damaged or of another feature set");
            start += length;
        }

        return row == part.Rows(group) ? values : throw part.Bad($"column '{Vector}' has {row} vectors in a row group of {part.Rows(group)} rows");
    }

    private static BadInputException NoValue(ParquetFile part, string name) =>
        new($"{part.Name}: column '{name}' has rows without a value; a feature set has none");

    /// <summary>Makes sure that the columns are there and of the right types, and returns their leaves in that order.</summary>
    private static DataField[] Check(ParquetFile part, IReadOnlyList<Field> expected)
    {
        var leaves = new DataField[expected.Count];
        for (var c = 0; c < leaves.Length; c++)
        {
            var name = expected[c].Name;
            var found = part.Schema.Fields.FirstOrDefault(f => f.Name == name)
                ?? throw new BadInputException(
                    $"{part.Name} has no column '{name}' (it has {string.Join(", ", part.Schema.Fields.Select(f => f.Name))}); expected a part of a feature set as 'transfer extract' writes it");
            var (actual, wanted) = (TypeText.Of(found), TypeText.Of(expected[c]));
            if (actual != wanted)
                throw new BadInputException($"{part.Name}: column '{name}' is of type {actual}, expected {wanted}; expected a part of a feature set as 'transfer extract' writes it");
            leaves[c] = found is ListField list ? (DataField)list.Item : (DataField)found;
        }

        return leaves;
    }
}
