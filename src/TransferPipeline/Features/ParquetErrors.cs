using TransferPipeline.Datasets;

namespace TransferPipeline.Features;

/// <summary>What every Parquet library reports about a file that it cannot use, and how it finds out.</summary>
internal static class ParquetErrors
{
    private const string Expected = "expected a part of a feature set as 'transfer extract' writes it";

    /// <summary>Opens a file, or names what is in its place.</summary>
    public static void RequireFile(string file)
    {
        if (!File.Exists(file))
            throw new BadInputException(
                Directory.Exists(file) ? $"{file} is a folder, expected a Parquet file" : $"{file}: there is no such file"
            );
        try
        {
            File.OpenHandle(file).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{file} cannot be opened ({e.FirstLine()})", e);
        }
    }

    /// <summary>
    /// Calls a library; whatever it throws at bad bytes, from its own exception to an index out of range, becomes one line that names the
    /// file.
    /// </summary>
    /// <param name="reason">What went wrong in one line, for the library's own exceptions.</param>
    public static T Explain<T>(string file, Func<T> read, Func<Exception, string>? reason = null)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not TransferException)
        {
            if (File.Exists(file) && MagicNumbers.NameOf(file) is { } kind and not MagicNumbers.Parquet)
                throw new BadInputException($"{file} is {kind}; expected a Parquet file", e);
            throw Damaged(file, reason?.Invoke(e) ?? e.FirstLine(), e);
        }
    }

    /// <summary>The file breaks the format.</summary>
    public static BadInputException Damaged(string file, string what, Exception? inner = null) =>
        new($"{file} cannot be read as Parquet ({what}); it is damaged or incomplete, make it again", inner);

    /// <summary>The number of rows that a row group announces.</summary>
    public static int RequireRows(string file, int group, long rows) =>
        rows is >= 0 and <= int.MaxValue ? (int)rows : throw Damaged(file, $"row group {group} announces {rows} rows");

    /// <summary>Makes sure that a column of the right type is there.</summary>
    public static void RequireColumn(string file, ParquetDescription description, string name, ColumnType type)
    {
        var (_, found) = description.Columns.FirstOrDefault(c => c.Name == name);
        if (!description.Columns.Any(c => c.Name == name))
            throw new BadInputException($"{file} has no column '{name}' (it has {Names(description)}); {Expected}");
        if (found != type)
            throw new BadInputException($"{file}: column '{name}' is {found.Text()}, expected {type.Text()}; {Expected}");
    }

    /// <summary>Makes sure that a column of texts or numbers is there.</summary>
    public static void RequireLabel(string file, ParquetDescription description, string name)
    {
        var found = description.Columns.Where(c => c.Name == name).ToList();
        if (found.Count == 0)
            throw MissingColumn(file, description, name);
        if (!found[0].Type.CanBeLabel())
            throw new BadInputException(
                $"{file}: column '{name}' is {found[0].Type.Text()}, expected text or a number per row; name another column as the label"
            );
    }

    /// <summary>The column is not there.</summary>
    public static BadInputException MissingColumn(string file, ParquetDescription description, string name) =>
        new($"{file} has no column '{name}' (it has {Names(description)})");

    /// <summary>A row of a feature set lacks a value.</summary>
    public static BadInputException NoValue(string file, string name) =>
        new($"{file}: column '{name}' has rows without a value; a feature set has none");

    /// <summary>A vector has another length than the set's.</summary>
    public static BadInputException OtherLength(string file, long row, long length, int width) =>
        new($"{file}: the vector of row {row} has {length} values, expected {width}; the file is damaged or of another feature set");

    /// <summary>
    /// The first row of <paramref name="starts"/> (repetition levels: 0 begins a row) whose length is not <paramref name="width"/>, or -1.
    /// </summary>
    /// <param name="length">That row's length as far as it is in <paramref name="starts"/>.</param>
    public static int OddRow<T>(ReadOnlySpan<T> starts, int width, out int length)
        where T : struct, IEquatable<T>
    {
        length = width;
        for (int row = 0, start = 0; start < starts.Length; row++, start += width)
        {
            // IndexOf is vectorized: one search per row is faster than a loop over all levels.
            var next = starts[(start + 1)..].IndexOf(default(T));
            length = next < 0 ? starts.Length - start : next + 1;
            if (length != width)
                return row;
        }

        return -1;
    }

    private static string Names(ParquetDescription description) => string.Join(", ", description.Columns.Select(c => c.Name));
}
