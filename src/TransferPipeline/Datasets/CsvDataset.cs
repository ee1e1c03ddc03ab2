using CsvHelper;

namespace TransferPipeline.Datasets;

/// <summary>Opens a table of photo names and labels: <c>labels.csv</c> beside a folder of photos. The order is that of the lines.</summary>
internal static class CsvDataset
{
    /// <summary>Lines whose photos decide which of several columns holds the names.</summary>
    private const int ProbedLines = 50;

    public static FileDataset Open(DatasetOptions options)
    {
        var folder = options.Folder ?? Path.GetDirectoryName(Path.GetFullPath(options.Path))!;
        if (!Directory.Exists(folder))
            throw new BadInputException($"{folder}: there is no such folder; expected the photos that {options.Path} names");
        if (IsJsonLines(options.Path))
            return MetadataDataset.OpenFile(options, folder);
        // The whole file, before it is decoded: decoding puts U+FFFD for bytes that are
        // not UTF-8, so that two class names could become one.
        TextFile.Require(options.Path);
        var problems = new ProblemList();
        var columns = Columns(options, folder, problems);
        if (columns.Confidence >= 0 && options.Extension.Length == 0)
            options = options with { Extension = OpenImages.Extension(folder, First(options, columns), problems) };
        var lines = ReadLines(options, folder, columns, problems);
        var form = columns.Confidence >= 0 ? "CSV of photo names and labels, OpenImages' columns" : "CSV of photo names and labels";
        return LabelledFiles
            .Build(
                options,
                folder,
                columns.Confidence >= 0 ? OpenImages.Named(options, lines, problems) : lines,
                problems,
                missing => NothingThere(folder, missing, options),
                // OpenImages' lines are chosen: photos of the others are in the table too.
                notesUnnamed: columns.Confidence < 0,
                several: columns.Confidence < 0 ? "" : ", or choose classes that no photo shares (classes under data in a pipeline)"
            )
            .As(form);
    }

    public static bool IsJsonLines(string path) =>
        path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase);

    /// <summary>The names of a table's columns.</summary>
    public static string[] Header(string file)
    {
        using var csv = OpenReader(file);
        var header = ReadCsv(file, () => csv.Headers.ToArray());
        return header is [['#', ..] comment]
            ? throw new BadInputException(
                $"{file}, line 1: a comment ('{comment}'), expected the line of column names; take the comment out"
            )
            : header;
    }

    /// <summary>The lines of a table with the photos' paths below <paramref name="folder"/>.</summary>
    public static IEnumerable<TableLine> ReadLines(DatasetOptions options, string folder, TableColumns columns, ProblemList problems)
    {
        using var csv = OpenReader(options.Path);
        var spaced = new SpacedLabels(problems);
        while (NextRow(options.Path, csv, columns.Width))
        {
            var label = csv.GetString(columns.Label);
            // As in the file: the reader takes the spaces away.
            spaced.Add(label, csv.GetRawSpan(columns.Label) is [(byte)' ' or (byte)'\t', ..] or [.., (byte)' ' or (byte)'\t']);
            var where = $"{options.Path}, line {csv.LineNumber}";
            var name = csv.GetString(columns.Path);
            var path = LabelledFiles.Inside(folder, where, name, options.Extension);
            if (columns.Confidence >= 0 && csv.GetString(columns.Confidence) is "0" or "0.0")
                problems.Add(path, "left out: the confidence is 0, the photo was found not to show the label");
            else
                yield return new TableLine(
                    where,
                    csv.LineNumber,
                    name,
                    path,
                    label,
                    columns.Split < 0 ? "" : SplitOf(where, csv.GetString(columns.Split))
                );
        }
    }

    public static TableColumns Columns(DatasetOptions options, string folder, ProblemList problems)
    {
        var header = Header(options.Path);
        if (header.Length == 0)
            throw new BadInputException($"{options.Path} is empty; expected a line of column names and a line for each photo");
        if (!TableColumns.HasLabels(options, header) && options.LabelColumn is null)
            RequireNoColumnPerClass(options.Path, header);
        var columns = TableColumns.Of(options, header, column => PhotosThere(options, folder, header, column), problems);
        if (columns.Split < 0)
            NoteSplits(options.Path, header, columns, problems);
        return columns;
    }

    /// <exception cref="BadInputException">Each line has 1 in one of several columns, and 0 in the others.</exception>
    private static void RequireNoColumnPerClass(string file, string[] header)
    {
        var width = Array.FindLastIndex(header, name => name.Length > 0) + 1;
        var lines = new List<string[]>();
        using (var csv = OpenReader(file))
        {
            while (lines.Count < ProbedLines && NextRow(file, csv, width))
                lines.Add([.. Enumerable.Range(0, width).Select(csv.GetString)]);
        }

        var classes = Enumerable.Range(0, width).Where(c => lines.TrueForAll(l => l[c] is "0" or "1" or "0.0" or "1.0")).ToList();
        if (lines.Count == 0 || classes.Count < 2 || !lines.TrueForAll(l => classes.Count(c => l[c][0] == '1') == 1))
            return;
        var names = FewNames.Of([.. classes.Select(c => header[c])], most: 3);
        throw new BadInputException(
            $"{file} has a column for each class ({names}) with 1 for the photo's own, expected one column with the class, such as 'label'"
        );
    }

    private static void NoteSplits(string file, string[] header, TableColumns columns, ProblemList problems)
    {
        var splits = new UnusedSplits();
        using var csv = OpenReader(file);
        for (var line = 0; line < UnusedSplits.ProbedLines && NextRow(file, csv, columns.Width); line++)
        {
            for (var column = 0; column < columns.Width; column++)
            {
                if (column != columns.Path && column != columns.Label)
                    splits.Add(header[column], csv.GetString(column));
            }
        }

        splits.Note(file, problems);
    }

    public static string SplitOf(string where, string name) =>
        SplitNames.Canonical(name)
        ?? throw new BadInputException(
            $"{where}: '{name}' is no split{NearestName.Hint(name, SplitNames.All)} (expected train, validation or test)"
        );

    public static string NothingThere(string folder, TableLine? missing, DatasetOptions options) =>
        missing is null
            ? $"{options.Path} names no photo with a label; expected a line for each photo"
            : $"{options.Path}: none of its photos is in {folder}, the first being '{missing.Path}'"
                + (NearFiles.Similar(folder, missing.Path, options.Extension) ?? "; give the folder that they are in");

    /// <summary>How many of the first lines name a photo in a column, and how many what is called as one.</summary>
    private static (int There, int Photos) PhotosThere(DatasetOptions options, string folder, string[] header, int column)
    {
        using var csv = OpenReader(options.Path);
        // Spreadsheets add empty columns at the end: only those up to the last named one count.
        var (there, photos, width) = (0, 0, Array.FindLastIndex(header, name => name.Length > 0) + 1);
        for (var line = 0; line < ProbedLines && NextRow(options.Path, csv, width); line++)
        {
            var extension =
                options.Extension.Length == 0 || options.Extension.StartsWith('.') ? options.Extension : "." + options.Extension;
            var name = csv.GetString(column);
            photos += PhotoFiles.IsPhoto(name) ? 1 : 0;
            there +=
                name.Length > 0
                && File.Exists(Path.Combine(folder, name.EndsWith(extension, StringComparison.OrdinalIgnoreCase) ? name : name + extension))
                    ? 1
                    : 0;
        }

        return (there, photos);
    }

    private static string First(DatasetOptions options, TableColumns columns)
    {
        using var csv = OpenReader(options.Path);
        return NextRow(options.Path, csv, columns.Width) ? csv.GetString(columns.Path) : "";
    }

    /// <summary>Goes to the next line that is not wholly empty; fields beyond the named columns may be there when they are empty.</summary>
    private static bool NextRow(string file, CsvReader csv, int width)
    {
        while (ReadCsv(file, csv.Read))
        {
            var last = csv.FieldCount - 1;
            while (last >= 0 && csv.IsEmpty(last))
                last--;
            // What spreadsheets leave below a table.
            if (last < 0 && csv.FieldCount >= width)
                continue;
            return csv.FieldCount >= width && last < width
                ? true
                : throw new BadInputException(
                    $"{file}, line {csv.LineNumber}: {csv.FieldCount} fields, expected {width} as in the first line; put names with "
                        + $"commas in quotes"
                );
        }

        return false;
    }

    private static CsvReader OpenReader(string file)
    {
        // A quote that is not closed would take the lines behind it into one field; an error names the line instead.
        var readerOptions = new CsvReaderOptions
        {
            MalformedData = CsvMalformedDataHandling.Throw,
            TrackLineNumbers = true,
            TrimWhitespace = true,
        };
        try
        {
            return CsvReader.FromFile(file, readerOptions, FileOptions.SequentialScan);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new BadInputException($"{file} cannot be read: {e.Message}", e);
        }
    }

    private static T ReadCsv<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (CsvFormatException e)
        {
            throw new BadInputException($"{file}, line {e.LineNumber}: not valid CSV ({e.FirstLine()})", e);
        }
    }
}
