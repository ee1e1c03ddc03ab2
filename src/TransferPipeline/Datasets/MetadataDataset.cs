using System.Text.Json;

namespace TransferPipeline.Datasets;

/// <summary>
/// A folder in the form of Hugging Face's ImageFolder with metadata: metadata.csv or metadata.jsonl beside the photos, at its top or in
/// each split folder, with a column file_name; and a single file of JSON lines.
/// </summary>
internal static class MetadataDataset
{
    private static readonly string[] Names = ["metadata.csv", "metadata.jsonl"];

    /// <summary>The metadata files of a folder, from there: at its top, else in its split folders (or in those of data).</summary>
    public static List<string> Files(string folder)
    {
        var top = Here(folder, "");
        if (top.Count > 0)
            return top;
        var inside = Inside(folder, "");
        return inside.Count > 0 || !Directory.Exists(Path.Combine(folder, "data"))
            ? inside
            : [.. Here(folder, "data/"), .. Inside(folder, "data/")];
    }

    /// <summary>Whether any of the metadata of a folder holds labels: those of a test split may be hidden.</summary>
    public static bool HasLabels(DatasetOptions options) =>
        Files(options.Path).Exists(file => TableColumns.HasLabels(options, KeysOf(options, Path.Combine(options.Path, file))));

    public static FileDataset Open(DatasetOptions options)
    {
        var problems = new ProblemList();
        var files = Files(options.Path);
        if (files.Count == 0)
            throw new BadInputException(
                $"{options.Path} is a folder without {string.Join(" or ", Names)}, expected a CSV file or a folder with one of these"
            );
        if (!HasLabels(options))
            throw new BadInputException(
                $"{Path.Combine(options.Path, files[0])} has no column of labels (it has "
                    + $"{string.Join(", ", KeysOf(options, Path.Combine(options.Path, files[0])))}); expected "
                    + $"{string.Join(", ", TableColumns.LabelNames)}, or name the column"
            );
        foreach (var other in Unread(options.Path, files))
            problems.Add(other, $"not read: {Names[0]} lies beside it");
        var keys = new LabelKeys(files[0]);
        var lines = files.SelectMany(file => Lines(options, file, keys, problems)).ToList();
        keys.Note(problems);
        NoteSplits(files, lines, problems);
        NoteUnnamed(options.Path, lines, problems);
        return LabelledFiles
            .Build(
                options,
                options.Path,
                lines,
                problems,
                missing => CsvDataset.NothingThere(options.Path, missing, options),
                // NoteUnnamed has searched all folders.
                notesUnnamed: false
            )
            .As($"folder with {Path.GetFileName(files[0])}");
    }

    /// <summary>A single file of JSON lines.</summary>
    public static FileDataset OpenFile(DatasetOptions options, string folder)
    {
        var problems = new ProblemList();
        var name = Path.GetFileName(options.Path);
        var keys = new LabelKeys(name);
        var lines = JsonLines(options, options.Path, folder, "", "", keys, problems).ToList();
        keys.Note(problems);
        // As in CSV: a photo without a split would be in none.
        if (lines.Find(line => line.Split.Length == 0) is { } without && lines.Find(line => line.Split.Length > 0) is { } with)
            throw new BadInputException($"{without.Where}: no split, and line {with.Number} has one; expected one in all lines or in none");
        return LabelledFiles
            .Build(options, folder, lines, problems, missing => CsvDataset.NothingThere(folder, missing, options), notesUnnamed: true)
            .As("JSON lines of photo names and labels");
    }

    private static IEnumerable<TableLine> Lines(DatasetOptions options, string file, LabelKeys keys, ProblemList problems)
    {
        var full = Path.Combine(options.Path, file);
        var prefix = file[..(file.LastIndexOf('/') + 1)];
        var folder = Path.Combine(options.Path, prefix);
        var split = prefix.Length == 0 ? "" : SplitNames.Canonical(prefix.TrimEnd('/').Split('/')[^1]) ?? "";
        IEnumerable<TableLine> lines;
        if (CsvDataset.IsJsonLines(full))
        {
            lines = JsonLines(options, full, folder, prefix, split, keys, problems);
        }
        else
        {
            TextFile.Require(full);
            var table = options with { Path = full };
            var columns = CsvDataset.Columns(table, folder, problems);
            // Several columns of one table have their line already.
            keys.Add([CsvDataset.Header(full)[columns.Label]]);
            lines = CsvDataset
                .ReadLines(table, folder, columns, problems)
                .Select(line => line with { Path = prefix + line.Path, Split = line.Split.Length > 0 ? line.Split : split });
        }

        // A file at the top names photos in the split folders.
        return prefix.Length > 0
            ? lines
            : lines.Select(line =>
                line.Split.Length == 0 && line.Path.Contains('/', StringComparison.Ordinal)
                    ? line with
                    {
                        Split = SplitNames.Canonical(line.Path[..line.Path.IndexOf('/', StringComparison.Ordinal)]) ?? "",
                    }
                    : line
            );
    }

    private static IEnumerable<TableLine> JsonLines(
        DatasetOptions options,
        string file,
        string folder,
        string prefix,
        string split,
        LabelKeys keys,
        ProblemList problems
    )
    {
        var number = 0L;
        string[] paths = options.PathColumn is { } path ? [path] : ["file_name", .. TableColumns.PathNames];
        string[] labels = options.LabelColumn is { } column ? [column] : TableColumns.LabelNames;
        var spaced = new SpacedLabels(problems);
        var (unused, hasSplits) = (new UnusedSplits(), false);
        TextFile.Require(file);
        foreach (var line in File.ReadLines(file))
        {
            number++;
            if (line.AsSpan().Trim().Length == 0)
                continue;
            var where = $"{file}, line {number}";
            yield return Read(
                where,
                line,
                root =>
                {
                    var name =
                        JsonLabels.Of(where, root, paths, "name")
                        ?? throw new BadInputException($"{where}: no photo name; expected a key {string.Join(", ", paths)}");
                    var own = JsonLabels.Of(where, root, [options.SplitColumn ?? "split"]);
                    hasSplits |= own is not null;
                    if (number <= UnusedSplits.ProbedLines)
                        unused.Add(root, [.. paths, .. labels]);
                    var written = JsonLabels.Of(where, root, labels) ?? "";
                    var label = written.Trim();
                    spaced.Add(label, label.Length < written.Length);
                    if (label.Length > 0)
                        keys.Add(JsonLabels.Found(root, labels));
                    return new TableLine(
                        where,
                        number,
                        name,
                        prefix + LabelledFiles.Inside(folder, where, name, options.Extension),
                        label,
                        own is null ? split : CsvDataset.SplitOf(where, own)
                    );
                }
            );
        }

        if (!hasSplits && split.Length == 0)
            unused.Note(file, problems);
    }

    private static T Read<T>(string where, string line, Func<JsonElement, T> read) =>
        JsonLabels.Read(
            where,
            line,
            "one object per line",
            root =>
                root.ValueKind == JsonValueKind.Object
                    ? read(root)
                    : throw new BadInputException($"{where}: expected a JSON object with a photo name and a label")
        );

    /// <summary>The columns of a table; of JSON lines the keys up to the first object with a label.</summary>
    private static List<string> KeysOf(DatasetOptions options, string file)
    {
        TextFile.Require(file);
        if (!CsvDataset.IsJsonLines(file))
            return [.. CsvDataset.Header(file)];
        var (keys, number) = (new List<string>(), 0L);
        foreach (var line in File.ReadLines(file))
        {
            number++;
            if (line.AsSpan().Trim().Length == 0)
                continue;
            var own = Read($"{file}, line {number}", line, root => root.EnumerateObject().Select(p => p.Name).ToList());
            keys.AddRange(own.Except(keys).ToList());
            if (TableColumns.HasLabels(options, own))
                break;
        }

        return keys;
    }

    /// <summary>Splits by folder for some of the photos only would leave the others in none.</summary>
    private static void NoteSplits(List<string> files, List<TableLine> lines, ProblemList problems)
    {
        var without = lines.Count(line => line.Split.Length == 0);
        if (without == 0 || without == lines.Count)
            return;
        problems.Add(
            files[0],
            $"{without:N0} of {lines.Count:N0} photos lie in no split folder and have no split of their own; no split is taken from folders"
        );
        for (var i = 0; i < lines.Count; i++)
            lines[i] = lines[i] with { Split = "" };
    }

    /// <summary>Photos that no line names have no label.</summary>
    private static void NoteUnnamed(string folder, List<TableLine> lines, ProblemList problems)
    {
        var named = lines.Select(line => line.Path).ToHashSet(StringComparer.Ordinal);
        var unnamed = PhotoFiles
            .Walk(folder)
            .Files.Where(f =>
                PhotoFiles.IsPhoto(f.Path)
                && !PhotoFiles.IsOfSystem(Path.GetFileName(f.Path))
                && LeftBehind.FolderOf(f.Path) is null
                && !named.Contains(f.Path)
            )
            .ToList();
        // The first one in ordinal order, since the walk's order differs between file systems.
        if (unnamed.MinBy(f => f.Path, StringComparer.Ordinal) is { } first)
            problems.Add(first.Path, $"{unnamed.Count:N0} photos are not named in the metadata and are left out");
    }

    /// <summary>The second form of metadata in a folder where both lie.</summary>
    private static IEnumerable<string> Unread(string folder, List<string> files) =>
        files
            .Select(file => file[..(file.LastIndexOf('/') + 1)] + Names[1])
            .Where(other => !files.Contains(other) && File.Exists(Path.Combine(folder, other)));

    private static List<string> Here(string folder, string prefix) =>
        [.. Names.Select(name => prefix + name).Where(name => File.Exists(Path.Combine(folder, name))).Take(1)];

    private static List<string> Inside(string folder, string prefix) =>
        [
            .. Directory
                .EnumerateDirectories(Path.Combine(folder, prefix))
                .Where(inside => SplitNames.Canonical(Path.GetFileName(inside)) is not null)
                .Order(StringComparer.Ordinal)
                .SelectMany(inside => Here(folder, $"{prefix}{Path.GetFileName(inside)}/")),
        ];
}
