using CsvHelper;

namespace TransferPipeline.Datasets;

/// <summary>Opens a table of photo names and labels: <c>labels.csv</c> beside a folder of photos. The order is that of the lines.</summary>
internal static class CsvDataset
{
    private static readonly string[] PathNames = ["id", "path", "file", "filename", "file_name", "image", "image_id", "photo", "image_path", "image_name", "filepath", "file_path"];
    private static readonly string[] LabelNames = ["label", "class", "breed", "category", "target", "labels", "class_name", "species"];

    public static FileDataset Open(DatasetOptions options)
    {
        var folder = options.Folder ?? Path.GetDirectoryName(Path.GetFullPath(options.Path))!;
        if (!Directory.Exists(folder))
            throw new BadInputException($"{folder}: there is no such folder; expected the photos that {options.Path} names");
        var problems = new ProblemList();
        var photos = new List<(PhotoEntry Entry, int Item)>();
        var stamps = new List<PhotoStamp>();
        var seen = new Dictionary<string, Line>(StringComparer.Ordinal);
        Line? missing = null;
        foreach (var line in ReadLines(options))
        {
            var path = Inside(folder, line, options);
            if (seen.TryGetValue(path, out var before))
            {
                if (before.Label != line.Label || before.Split != line.Split)
                {
                    throw new BadInputException(
                        $"{options.Path}, line {line.Number}: '{path}' is {Describe(line)} here and {Describe(before)} in line {before.Number}; expected one line a photo");
                }

                problems.Add(path, "named twice; the second line is ignored");
                continue;
            }

            seen.Add(path, line);
            if (line.Label.Length == 0)
            {
                problems.Add(path, "left out: the line has no label");
                continue;
            }

            var file = FileBytes.Real(Path.Combine(folder, path));
            // What is still a link leads to itself.
            if (file.Exists && !file.Attributes.HasFlag(FileAttributes.ReparsePoint))
            {
                photos.Add((new PhotoEntry(path, line.Label, line.Split), stamps.Count));
                stamps.Add(new PhotoStamp(file.Length, PhotoFiles.Nanoseconds(file.LastWriteTimeUtc)));
                continue;
            }

            missing ??= line;
            problems.Add(path, $"left out: there is no such file in {folder}");
        }

        if (photos.Count == 0)
            throw new BadInputException(NothingThere(folder, missing, options));
        return new FileDataset(options.Path, folder, Arranged.From(options.Path, photos, options, problems), [.. stamps], problems.ToList());
    }

    private static IEnumerable<Line> ReadLines(DatasetOptions options)
    {
        using var csv = OpenReader(options.Path);
        var header = Guard(options.Path, () => csv.Headers.ToArray());
        if (header.Length == 0)
            throw new BadInputException($"{options.Path} is empty; expected a line of column names and a line for each photo");
        var path = Column(options, header, options.PathColumn, PathNames, "photo names");
        var label = Column(options, header, options.LabelColumn, LabelNames, "labels");
        var split = options.SplitColumn is null && !header.Contains("split", StringComparer.OrdinalIgnoreCase)
            ? -1
            : Column(options, header, options.SplitColumn, ["split"], "splits");
        while (Guard(options.Path, csv.Read))
        {
            if (csv.FieldCount != header.Length)
                throw new BadInputException($"{options.Path}, line {csv.LineNumber}: {csv.FieldCount} fields, expected {header.Length} as in the first line; put names with commas in quotes");
            yield return new Line(csv.LineNumber, csv.GetString(path), csv.GetString(label), split < 0 ? "" : SplitOf(options, csv.LineNumber, csv.GetString(split)));
        }
    }

    private static CsvReader OpenReader(string file)
    {
        var readerOptions = new CsvReaderOptions { MalformedData = CsvMalformedDataHandling.Throw, TrackLineNumbers = true, TrimWhitespace = true };
        try
        {
            return CsvReader.FromFile(file, readerOptions, FileOptions.SequentialScan);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new BadInputException($"{file} cannot be read: {e.Message}", e);
        }
    }

    private static T Guard<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (CsvFormatException e)
        {
            throw new BadInputException($"{file}, line {e.LineNumber}: not valid CSV ({e.Message.Split('\n', 2)[0].Trim()})", e);
        }
    }

    private static int Column(DatasetOptions options, string[] header, string? wanted, string[] usual, string what)
    {
        if (wanted is not null)
        {
            var index = Array.IndexOf(header, wanted);
            return index >= 0
                ? index
                : throw new UsageException($"{options.Path} has no column '{wanted}' (it has {string.Join(", ", header)}){NearestName.Hint(wanted, header)}");
        }

        foreach (var name in usual)
        {
            if (Array.FindIndex(header, h => h.Equals(name, StringComparison.OrdinalIgnoreCase)) is >= 0 and var found)
                return found;
        }

        throw new BadInputException($"{options.Path} has no column of {what} (it has {string.Join(", ", header)}); expected {string.Join(", ", usual)}, or name the column (the first line has to be that of the columns' names)");
    }

    private static string SplitOf(DatasetOptions options, long line, string name) =>
        SplitNames.Canonical(name) ?? throw new BadInputException(
            $"{options.Path}, line {line}: '{name}' is no split{NearestName.Hint(name, SplitNames.All)}; expected train, validation or test");

    /// <summary>The photo's path below the folder, with '/'.</summary>
    private static string Inside(string folder, Line line, DatasetOptions options)
    {
        if (line.Name.Length == 0)
            throw new BadInputException($"{options.Path}, line {line.Number}: the photo's name is empty");
        var extension = options.Extension.Length == 0 || options.Extension.StartsWith('.') ? options.Extension : "." + options.Extension;
        var name = line.Name.Replace('\\', '/');
        if (!name.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
            name += extension;
        var relative = Path.GetRelativePath(folder, Path.GetFullPath(name, Path.GetFullPath(folder)));
        return relative == ".." || relative.StartsWith("../", StringComparison.Ordinal)
            ? throw new BadInputException($"{options.Path}, line {line.Number}: '{line.Name}' leads out of {folder}; expected names of photos inside it")
            : relative;
    }

    private static string NothingThere(string folder, Line? missing, DatasetOptions options)
    {
        if (missing is null)
            return $"{options.Path} names no photo with a label; expected a line for each photo";
        var name = Inside(folder, missing, options);
        return $"{options.Path}: none of its photos is in {folder}, the first being '{name}'" + (Similar(folder, name, options) ?? "; give the folder that they are in");
    }

    /// <summary>The first photo with another extension or in a folder inside, and what to set; null when there is none.</summary>
    private static string? Similar(string folder, string name, DatasetOptions options)
    {
        var anyCase = new EnumerationOptions { MatchCasing = MatchCasing.CaseInsensitive };
        var stem = options.Extension.Length > 0 || PhotoFiles.IsPhoto(name) ? Path.ChangeExtension(name, null) : name;
        string[] places = [folder, .. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)];
        foreach (var place in places.Where(p => Directory.Exists(Path.GetDirectoryName(Path.Combine(p, stem)))))
        {
            var inside = Path.GetDirectoryName(Path.Combine(place, stem))!;
            if (Directory.EnumerateFiles(inside, Path.GetFileName(stem) + ".*", anyCase).FirstOrDefault(f => PhotoFiles.IsPhoto(f)) is not { } found)
                continue;
            var cures = new List<string>();
            if (place != folder)
                cures.Add($"the folder to '{place}'");
            // An extension that stands in the table cannot be replaced, only one that is added to its names.
            if (name == stem || (options.Extension.Length > 0 && !found.EndsWith(name[stem.Length..], StringComparison.Ordinal)))
                cures.Add($"the extension to '{Path.GetExtension(found)}'");
            return $" ('{Path.GetRelativePath(folder, found)}' is{(cures.Count > 0 ? $": set {string.Join(" and ", cures)}" : "")})";
        }

        return null;
    }

    private static string Describe(Line line) => line.Split.Length == 0 ? $"'{line.Label}'" : $"'{line.Label}' in split {line.Split}";

    private sealed record Line(long Number, string Name, string Label, string Split);
}
