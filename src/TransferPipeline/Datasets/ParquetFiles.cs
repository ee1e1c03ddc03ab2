namespace TransferPipeline.Datasets;

/// <summary>One Parquet file of a dataset.</summary>
/// <param name="Name">From the dataset's folder, with '/'.</param>
/// <param name="Split">By its name; empty when it names none.</param>
/// <param name="Mtime">Last write, nanoseconds since 1970 UTC.</param>
internal sealed record ParquetFile(string FullPath, string Name, string Split, long Mtime)
{
    public string ImageColumn { get; set; } = "image";
}

/// <summary>Finds the Parquet files of a dataset and their splits: <c>train-00000-of-00002.parquet</c>, <c>validation/0000.parquet</c>.</summary>
internal static class ParquetFiles
{
    public static List<ParquetFile> Find(string path)
    {
        if (File.Exists(path))
            return [new ParquetFile(path, Path.GetFileName(path), SplitNames.OfFile(Path.GetFileName(path)), PhotoFiles.Nanoseconds(FileBytes.Real(path).LastWriteTimeUtc))];
        var files = PhotoFiles.Walk(path).Files
            .Where(file => IsParquet(file.Path))
            .Select(file => new ParquetFile(Path.Combine(path, file.Path), file.Path, SplitNames.OfFile(file.Path), file.Mtime))
            .OrderBy(file => SplitNames.Order(file.Split)).ThenBy(file => file.Name, StringComparer.Ordinal).ToList();
        if (files.Count == 0)
            throw new BadInputException($"{path} holds no .parquet file; expected files such as train-00000-of-00001.parquet");
        if (files.Exists(file => file.Split.Length == 0) && files.Find(file => file.Split.Length > 0) is { } named)
        {
            throw new BadInputException(
                $"{path}: '{named.Name}' names its split but '{files.Find(file => file.Split.Length == 0)!.Name}' does not; expected train, validation or test at the start of every file's name, or of none");
        }

        files.ForEach(file => FileBytes.RequireSome(file.FullPath, "a Parquet file"));
        return files;
    }

    public static bool IsParquet(string name) => name.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase);
}
