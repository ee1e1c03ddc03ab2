using System.IO.Enumeration;

namespace TransferPipeline.Datasets;

/// <summary>One Parquet file of a dataset.</summary>
/// <param name="Name">From the dataset's folder, with '/'.</param>
/// <param name="Split">By its name; empty when it names none.</param>
/// <param name="Mtime">Last write, nanoseconds since 1970 UTC.</param>
internal sealed record ParquetFile(string FullPath, string Name, string Split, long Mtime)
{
    public string ImageColumn { get; set; } = "image";
}

/// <summary>
/// Finds the Parquet files of a dataset and their splits: <c>train-00000-of-00002.parquet</c>, <c>validation/0000.parquet</c>.
/// </summary>
internal static class ParquetFiles
{
    public static List<ParquetFile> Find(string path, ProblemList problems)
    {
        if (File.Exists(path))
            return
            [
                new ParquetFile(
                    path,
                    Path.GetFileName(path),
                    SplitNames.OfFile(Path.GetFileName(path)),
                    PhotoFiles.Nanoseconds(FileBytes.Real(path).LastWriteTimeUtc)
                ),
            ];
        var found = PhotoFiles.Walk(path);
        SetsAmongPhotos.Remove(found, problems);
        var files = found
            .Files.Where(file => IsParquet(file.Path) && LeftBehind.FolderOf(file.Path) is null)
            .Select(file => new ParquetFile(Path.Combine(path, file.Path), file.Path, SplitNames.OfFile(file.Path), file.Mtime))
            .OrderBy(file => SplitNames.Order(file.Split))
            .ThenBy(file => file.Name, StringComparer.Ordinal)
            .ToList();
        if (files.Count == 0)
            throw new BadInputException($"{path} holds no .parquet file; expected files such as train-00000-of-00001.parquet");
        files = CopiedNames.Remove(files, file => file.Name, problems);
        if (files.Exists(file => file.Split.Length == 0) && files.Find(file => file.Split.Length > 0) is { } named)
        {
            throw new BadInputException(
                $"{path}: '{named.Name}' names its split but '{files.Find(file => file.Split.Length == 0)!.Name}' does not; expected "
                    + $"train, validation or test at the start of every file's name, or of none"
            );
        }

        files = SplitsInside(files, problems);
        RefuseConfigurations(path, files, problems);
        NoteStatedSplits(path, files, problems);
        ShardSeries.Check(path, files.Select(file => file.Name), problems);
        ShardSeries.NoteSameNames(files.Select(file => (file.Name, file.Split)), problems);
        LeftAside.Note(path, found, IsParquet, "Parquet files", problems);
        foreach (var part in files.Where(file => file.Name.Contains("/partial-", StringComparison.Ordinal)))
            problems.Add(part.Name, "the folder holds a part of the split only");
        files.ForEach(file => FileBytes.RequireSome(file.FullPath, "a Parquet file"));
        return files;
    }

    public static bool IsParquet(string name) => name.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Splits that stand inside names (mnist-train.parquet, mnist-test.parquet), where every file has one and none begins with one.
    /// </summary>
    private static List<ParquetFile> SplitsInside(List<ParquetFile> files, ProblemList problems)
    {
        var inside = files.ConvertAll(file => SplitNames.Within(Path.GetFileNameWithoutExtension(file.Name)));
        // A word that all names share divides nothing.
        if (files.Exists(file => file.Split.Length > 0) || inside.Contains(null) || inside.Distinct().Count() < 2)
            return files;
        problems.Add(files[0].Name, "the names of the files hold the words of splits, which are taken as their splits");
        return
        [
            .. files
                .Zip(inside, (file, split) => file with { Split = split! })
                .OrderBy(file => SplitNames.Order(file.Split))
                .ThenBy(file => file.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>
    /// Configurations of one dataset hold the same photos in other forms, or other photos: together they make no dataset.
    /// </summary>
    private static void RefuseConfigurations(string path, List<ParquetFile> files, ProblemList problems)
    {
        var configurations = files
            .Where(file => file.Split.Length > 0)
            .GroupBy(Configuration)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .ToList();
        var names = configurations.Select(c => c.Key.Length == 0 ? "." : c.Key).ToList();
        // Folders that share no split are parts of one dataset; the same split in two of them is not.
        if (configurations.SelectMany(c => c.Select(file => file.Split).Distinct()).GroupBy(split => split).All(g => g.Count() < 2))
        {
            if (names.Count > 1)
                problems.Add(
                    "",
                    $"the folders {string.Join(", ", names)} hold different splits and are read as one dataset; if they are "
                        + "configurations, give the folder of one"
                );
            return;
        }

        throw new BadInputException(
            $"{path} holds several configurations ({string.Join(", ", names)}), each with the same splits; give the folder of one, "
                + $"such as {Path.Combine(path, names[^1])}"
        );
    }

    /// <summary>Notes files to which the repository's README.md gives another split than their names do.</summary>
    private static void NoteStatedSplits(string path, List<ParquetFile> files, ProblemList problems)
    {
        foreach (var (split, pattern) in RepositoryReadme.Splits(RepositoryReadme.Header(path, problems)))
        {
            var named = files.Find(file => FileSystemName.MatchesSimpleExpression(pattern, file.Name, ignoreCase: false));
            if (named is null || SplitNames.Canonical(split) is not { } stated || stated == named.Split)
                continue;
            problems.Add(
                named.Name,
                $"{RepositoryReadme.FileName} gives it the split {split}, which is not used, since splits come from the names of files; "
                    + $"call it {split}.parquet"
            );
        }
    }

    /// <summary>The folders of a file without those that are named after the split or called data.</summary>
    private static string Configuration(ParquetFile file) =>
        string.Join('/', file.Name.Split('/')[..^1].Where(folder => folder != "data" && SplitNames.OfFolder(folder) is null));
}
