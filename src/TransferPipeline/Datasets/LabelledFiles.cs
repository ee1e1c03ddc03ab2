using TransferPipeline.Platform;

namespace TransferPipeline.Datasets;

/// <summary>One photo as a table names it.</summary>
/// <param name="Where">File and line for messages.</param>
/// <param name="Name">As it stands in the table.</param>
/// <param name="Path">From the photos' folder, with '/'.</param>
/// <param name="Label">Empty where the line has none.</param>
/// <param name="Split">Empty where the data names none.</param>
internal sealed record TableLine(string Where, long Number, string Name, string Path, string Label, string Split);

/// <summary>Turns the lines of a table into the photos of a dataset: each photo once, with one label, and there.</summary>
internal static class LabelledFiles
{
    /// <param name="folder">The photos' folder.</param>
    /// <param name="nothingThere">The message when no photo is left, made from the first line whose photo is not there (null: no line had a
    /// label).</param>
    /// <param name="notesUnnamed">Whether the lines are all that the table has, so that other photos beside those are in none.</param>
    /// <param name="several">What else to do where a photo has several labels.</param>
    public static FileDataset Build(
        DatasetOptions options,
        string folder,
        IEnumerable<TableLine> lines,
        ProblemList problems,
        Func<TableLine?, string> nothingThere,
        bool notesUnnamed,
        string several = ""
    )
    {
        var photos = new List<(PhotoEntry Entry, int Item)>();
        var stamps = new List<PhotoStamp>();
        var seen = new Dictionary<string, TableLine>(StringComparer.Ordinal);
        var near = new NearFiles(folder);
        TableLine? missing = null;
        foreach (var line in lines)
        {
            if (seen.TryGetValue(line.Path, out var before))
            {
                if (before.Label != line.Label || before.Split != line.Split)
                    throw new BadInputException(
                        $"{line.Where}: '{line.Path}' is {Describe(line)} here and {Describe(before)} in line {before.Number}; "
                            + $"expected one line per photo{several}"
                    );
                problems.Add(line.Path, "named twice; the second line is ignored");
                continue;
            }

            // Before the label is checked, so that a photo with a label in one line and none in another is refused.
            seen.Add(line.Path, line);
            if (line.Label.Length == 0)
            {
                problems.Add(line.Path, "left out: the line has no label");
                continue;
            }

            var file = FileBytes.Real(Path.Combine(folder, line.Path));
            // What is still a link leads to itself.
            if (file.Exists && !file.Attributes.HasFlag(FileAttributes.ReparsePoint))
            {
                photos.Add((new PhotoEntry(line.Path, line.Label, line.Split), stamps.Count));
                // It stays, so that an extraction records it as failed with its reason.
                if (file.Length == 0)
                    problems.Add(line.Path, PhotoFiles.Empty);
                stamps.Add(new PhotoStamp(file.Length, PhotoFiles.Nanoseconds(file.LastWriteTimeUtc)));
                continue;
            }

            missing ??= line;
            // A table that lost its zeros is refused as a whole: other numbers in it may name other photos.
            near.RefuseLostZeros(line);
            problems.Add(line.Path, $"left out: there is no such file in {folder}", near.OtherForm(line.Path));
        }

        if (photos.Count > 0 && notesUnnamed)
            NoteUnnamed(folder, seen, problems);
        NoteSplitFolders(photos, problems);
        AlikeNames.NoteMixture(photos.Select(photo => photo.Entry.Label), problems);
        return photos.Count == 0
            ? throw new BadInputException(nothingThere(missing))
            : new FileDataset(
                options.Path,
                folder,
                OrderedPhotos.From(options.Path, photos, options, problems),
                [.. stamps],
                problems.ToList()
            );
    }

    /// <summary>
    /// Notes photos without a line in the folders that have photos with one; other folders may hold photos of another table.
    /// </summary>
    private static void NoteUnnamed(string folder, Dictionary<string, TableLine> named, ProblemList problems)
    {
        var unnamed = named
            .Keys.Select(path => path[..(path.LastIndexOf('/') + 1)])
            .Distinct()
            .Where(inside => Directory.Exists(Path.Combine(folder, inside)))
            .SelectMany(inside =>
                Directory
                    .EnumerateFiles(Path.Combine(folder, inside))
                    .Select(file => Path.GetFileName(file))
                    .Where(name => PhotoFiles.IsPhoto(name) && !PhotoFiles.IsOfSystem(name))
                    .Select(name => inside + name)
            )
            .Where(path => !named.ContainsKey(path))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (unnamed.Count > 0)
            problems.Add(unnamed[0], $"{unnamed.Count:N0} photos beside those of the table have no line in it and are left out");
    }

    /// <summary>Notes folders of splits in the names of photos that have no split otherwise.</summary>
    private static void NoteSplitFolders(List<(PhotoEntry Entry, int Item)> photos, ProblemList problems)
    {
        var folders = photos.Select(p => p.Entry).Where(e => e.Split.Length == 0).Select(e => SplitFolder(e.Path)).Distinct().ToList();
        // Photos outside of such folders show that these are no splits.
        if (folders.Contains(null) || folders.Select(name => SplitNames.Canonical(name!)).Distinct().Count() < 2)
            return;
        problems.Add(
            string.Join(", ", folders.Order(StringComparer.Ordinal)),
            "the photos lie in folders with names of splits, which are not used; for these splits add a column split with train, "
                + "validation and test"
        );
    }

    private static string? SplitFolder(string path) => path.Split('/')[..^1].FirstOrDefault(name => SplitNames.Canonical(name) is not null);

    /// <summary>The photo's path below the folder, with '/'.</summary>
    /// <exception cref="BadInputException">The name is empty or leads out of the folder.</exception>
    public static string Inside(string folder, string where, string name, string extension)
    {
        if (name.Length == 0)
            throw new BadInputException($"{where}: the photo's name is empty");
        // JSON can write it, no file system can.
        if (name.Contains('\0', StringComparison.Ordinal))
            throw new BadInputException($"{where}: the photo's name '{name}' has a zero character; expected the name of a file");
        if (Elsewhere(name) is { } kind)
            throw new BadInputException($"{where}: '{name}' is {kind}; expected names of photos inside {folder}{Cure(folder, name)}");
        extension = extension.Length == 0 || extension.StartsWith('.') ? extension : "." + extension;
        // Tables that were made on Windows have backslashes.
        var path = name.Replace('\\', '/');
        if (!path.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
            path += extension;
        // Normalized, so that ./a.jpg and a.jpg are one photo.
        var relative = Path.GetRelativePath(folder, Path.GetFullPath(path, Path.GetFullPath(folder)));
        return Below(relative)
            ?? throw new BadInputException(
                $"{where}: '{name}' leads out of {folder}; expected names of photos inside it{Cure(folder, name)}"
            );
    }

    /// <summary>What a name is that no file here can have: an address, or a whole path of Windows on another system.</summary>
    private static string? Elsewhere(string name) =>
        name.IndexOf("://", StringComparison.Ordinal) is > 0 and var end && name[..end].All(char.IsAsciiLetterOrDigit)
            ? "the address of a photo, which is not fetched"
        : FileNames.IsPathOfWindows(name) ? "a whole path of Windows"
        : null;

    private static string Cure(string folder, string name)
    {
        var last = name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
        return last.Length > 0 && File.Exists(Path.Combine(folder, last)) ? $" ('{last}' is there: take off what stands before it)" : "";
    }

    /// <summary>A relative path with '/', or null where it leads out; Windows has backslashes, and whole paths for other drives.</summary>
    internal static string? Below(string relative)
    {
        relative = relative.Replace('\\', '/');
        return relative == ".." || relative.StartsWith("../", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? null : relative;
    }

    private static string Describe(TableLine line) => line.Split.Length == 0 ? $"'{line.Label}'" : $"'{line.Label}' in split {line.Split}";
}
