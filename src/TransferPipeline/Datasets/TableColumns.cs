namespace TransferPipeline.Datasets;

/// <summary>Which columns of a table are photo names, labels and splits.</summary>
/// <param name="Width">Columns with a name; what lies beyond them must be empty.</param>
/// <param name="Split">-1 where there is none.</param>
/// <param name="Confidence">OpenImages' column of 1 (the label applies) and 0 (it was checked and does not); -1 where there is
/// none.</param>
internal sealed record TableColumns(int Width, int Path, int Label, int Split, int Confidence)
{
    public static readonly string[] PathNames =
    [
        "id",
        "path",
        "file",
        "filename",
        "file_name",
        "image",
        "image_id",
        "photo",
        "image_path",
        "image_name",
        "filepath",
        "file_path",
        "imageid",
    ];

    public static readonly string[] LabelNames =
    [
        "label",
        "class",
        "breed",
        "category",
        "target",
        "labels",
        "class_name",
        "species",
        "labelname",
        "label_name",
    ];

    /// <param name="isThere">How many of the first photos are there when a column holds their names, and how many of its names end as
    /// those of photos do; called where several columns may.</param>
    public static TableColumns Of(DatasetOptions options, string[] header, Func<int, (int There, int Photos)> isThere, ProblemList problems)
    {
        var width = Array.FindLastIndex(header, name => name.Length > 0) + 1;
        header = header[..width];
        var paths = Candidates(options, header, options.PathColumn, PathNames, "photo names");
        var path = paths[0];
        if (paths.Count > 1)
        {
            // MaxBy keeps the first of equals, so that the more usual name is taken where neither photos nor extensions decide.
            path = paths.MaxBy(isThere);
            Note(options, header, paths, path, "photo names", "path", problems);
        }

        var labels = Candidates(options, header, options.LabelColumn, LabelNames, "labels");
        if (labels.Count > 1)
            Note(options, header, labels, labels[0], "labels", "label", problems);
        var split =
            options.SplitColumn is null && !header.Contains("split", StringComparer.OrdinalIgnoreCase)
                ? -1
                : Candidates(options, header, options.SplitColumn, ["split"], "splits")[0];
        // Beside LabelName the column is OpenImages'; in another table it may mean something else.
        var confidence = header[labels[0]].Equals("labelname", StringComparison.OrdinalIgnoreCase)
            ? Array.FindIndex(header, h => h.Equals("confidence", StringComparison.OrdinalIgnoreCase))
            : -1;
        foreach (var column in new[] { path, labels[0], split }.Where(c => c >= 0))
            RequireOnce(options, header, column);
        return new TableColumns(width, path, labels[0], split, confidence);
    }

    public static bool HasLabels(DatasetOptions options, IEnumerable<string> header) =>
        header.Any(h =>
            h == options.LabelColumn || (options.LabelColumn is null && LabelNames.Contains(h, StringComparer.OrdinalIgnoreCase))
        );

    /// <summary>The requested column, or all that have a usual name, the most usual first.</summary>
    private static List<int> Candidates(DatasetOptions options, string[] header, string? wanted, string[] usual, string what)
    {
        if (wanted is not null)
        {
            var index = Array.IndexOf(header, wanted);
            return index >= 0
                ? [index]
                : throw new UsageException(
                    $"{options.Path} has no column '{wanted}' (it has {string.Join(", ", header)}){NearestName.Hint(wanted, header)}"
                )
                {
                    MissingColumn = wanted,
                };
        }

        var found = usual
            .Select(name => Array.FindIndex(header, h => h.Equals(name, StringComparison.OrdinalIgnoreCase)))
            .Where(i => i >= 0)
            .ToList();
        return found.Count > 0
            ? found
            : throw new BadInputException(
                $"{options.Path} has no column of {what} (it has {string.Join(", ", header)}); expected {string.Join(", ", usual)}, "
                    + $"or name the column (the first line has to be that of the columns' names)"
            );
    }

    /// <exception cref="BadInputException">Another column has the same name, so that which one is meant is not known.</exception>
    private static void RequireOnce(DatasetOptions options, string[] header, int column)
    {
        // A column that the user named is that one, whatever has its name in other case.
        var isNamed =
            header[column] is var name && (name == options.PathColumn || name == options.LabelColumn || name == options.SplitColumn);
        var comparison = isNamed ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        var first = Array.FindIndex(header, h => h.Equals(name, comparison));
        var other = Array.FindLastIndex(header, h => h.Equals(name, comparison));
        if (first != other)
            throw new BadInputException(
                $"{options.Path} has two columns '{header[first]}' (number {first + 1} and {other + 1} of "
                    + $"{string.Join(", ", header)}); expected one: rename or remove the other"
            );
    }

    private static void Note(
        DatasetOptions options,
        string[] header,
        List<int> candidates,
        int taken,
        string what,
        string option,
        ProblemList problems
    ) =>
        problems.Add(
            System.IO.Path.GetFileName(options.Path),
            $"columns {string.Join(", ", candidates.Select(c => $"'{header[c]}'"))} may hold {what}; '{header[taken]}' is taken, the "
                + $"option for the {option} column names another"
        );
}
