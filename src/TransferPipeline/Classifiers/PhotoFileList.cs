using TransferPipeline.Datasets;

namespace TransferPipeline.Classifiers;

/// <summary>
/// Photos named on a command line: files as they are, folders with all photos below them, and <c>-</c> for names from elsewhere.
/// </summary>
internal static class PhotoFileList
{
    /// <exception cref="BadInputException">A path does not exist, or a folder holds no photo.</exception>
    /// <param name="names">
    /// Read where a path is <c>-</c>: one name per line, or names that end with a zero byte, as find -print0 writes them; UTF-8, or UTF-16
    /// with a byte-order mark. A file that is not there is found out when it is read.
    /// </param>
    /// <param name="note">Called with one line for each thing that is passed over.</param>
    public static IReadOnlyList<string> Of(IEnumerable<string> paths, Stream? names = null, Action<string>? note = null)
    {
        var files = new List<string>();
        foreach (var path in paths)
        {
            if (path == "-" && names is not null)
            {
                files.AddRange(Names(names));
                continue;
            }

            if (File.Exists(path))
            {
                files.Add(path);
                continue;
            }

            if (!Directory.Exists(path))
                throw new BadInputException($"{path}: no such file or folder; expected photos");
            var problems = new ProblemList();
            // As in datasets, so that thumbnails of a NAS are not predicted.
            var left = LeftBehind.Remove(PhotoFiles.Walk(path), problems).Left;
            // The walk's order is the file system's, which differs between machines.
            var byKind = left
                .Files.Where(f => !PhotoFiles.IsOfSystem(Path.GetFileName(f.Path)))
                .Select(f => Path.Combine(path, f.Path))
                .Order(StringComparer.Ordinal)
                .ToLookup(file => PhotoFiles.IsPhoto(file));
            foreach (var folder in left.UnusableFolders)
                problems.Add(Path.Combine(path, folder.Path), "ignored folder: " + folder.Unusable);
            // A telephone's .heic photos would be missing among the predictions without a word.
            if (byKind[false].FirstOrDefault() is { } other)
                problems.Add(other, $"{byKind[false].Count():N0} files whose extension is not a photo's are passed over");
            var found = byKind[true].ToList();
            foreach (var problem in problems.ToList())
                note?.Invoke(problem.ToString());
            if (found.Count == 0)
                throw new BadInputException($"{path}: holds no photo");
            files.AddRange(found);
        }

        if (files.Count == 0)
            throw new BadInputException("no photo was named: the list of names is empty");
        return files;
    }

    private static IEnumerable<string> Names(Stream names)
    {
        // A name that is not UTF-8 cannot be opened; it fails alone, when its photo is read.
        var text = TextFile.Decode(InputFile.Bytes(names, "the list of names"));
        var separator = text.Contains('\0', StringComparison.Ordinal) ? '\0' : '\n';
        // In UTF-16 every second byte of Latin letters is zero, so that all names would have one letter.
        if (separator == '\0' && text.Split('\0').Count(name => name.Length > 1) is 0)
            throw new BadInputException("the list of names is UTF-16 without a byte-order mark; expected UTF-8");
        return text.Split(separator)
            // Lists from Windows end their lines with CR LF; between zero bytes a CR belongs to the name.
            .Select(name => separator == '\n' && name.EndsWith('\r') ? name[..^1] : name)
            .Where(name => name.Length > 0);
    }
}
