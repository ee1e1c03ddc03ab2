namespace TransferPipeline.Datasets;

/// <summary>Feature sets that were written among the photos (extract --data . --out set): their Parquet files hold no photos.</summary>
internal static class SetsAmongPhotos
{
    /// <summary>The file by which the folder of a feature set is known, with nothing but parts beside it.</summary>
    public const string Manifest = "manifest.json";

    /// <summary>Whether a file is one that a feature set consists of.</summary>
    public static bool IsPart(string name) => name.StartsWith("part-", StringComparison.Ordinal) || name == "failed.parquet";

    /// <summary>Takes such folders and their files out of what was found, with a line for each.</summary>
    public static void Remove(FoundFiles found, ProblemList problems)
    {
        var folders = found
            .Files.Where(file => file.Path.EndsWith("/" + Manifest, StringComparison.Ordinal))
            .Select(file => Folder(file.Path))
            .ToHashSet(StringComparer.Ordinal);
        if (folders.Count == 0)
            return;
        var inside = found
            .Files.Select(file => (Folder: Folder(file.Path), Name: Path.GetFileName(file.Path)))
            .Where(f => folders.Contains(f.Folder));
        var sets = inside
            .GroupBy(f => f.Folder)
            .Where(set =>
                set.Any(f => IsPart(f.Name))
                && !set.Any(f => PhotoFiles.IsPhoto(f.Name) || (ParquetFiles.IsParquet(f.Name) && !IsPart(f.Name)))
            )
            .Select(set => set.Key)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var set in sets.Order(StringComparer.Ordinal))
            problems.Add(set, $"not read: by its {Manifest} the folder of a feature set");
        found.Files.RemoveAll(file => sets.Contains(Folder(file.Path)));
        found.Folders.RemoveAll(sets.Contains);
    }

    private static string Folder(string file) => file[..Math.Max(0, file.LastIndexOf('/'))];
}
