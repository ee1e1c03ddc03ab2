namespace TransferPipeline.Datasets;

/// <summary>What lies beside the files of a dataset and may be photos of the same dataset: one line for each.</summary>
internal static class LeftAside
{
    private static readonly HashSet<string> Extensions = new(
        [".zip", ".7z", ".rar", ".xz", ".zst", ".bz2", ".lz4", ".lzma", ".tlz", ".lz", ".txz", ".tzst", ".tbz", ".tbz2"],
        StringComparer.OrdinalIgnoreCase
    );

    /// <summary>Checksums, indexes and notes that are called after an archive.</summary>
    private static readonly HashSet<string> Companions = new(
        [".md5", ".sha1", ".sha256", ".sha512", ".crc", ".idx", ".index", ".json", ".txt", ".csv", ".xml", ".asc", ".sig", ".torrent"],
        StringComparer.OrdinalIgnoreCase
    );

    /// <summary>Whether a file may hold photos by its name: an archive of any kind, a copy of one (.tar.1) or a part (.tar.part).</summary>
    public static bool IsArchive(string name) =>
        !Companions.Contains(Path.GetExtension(name)) && (HasArchiveExtension(name) || IsCalledAfterArchive(name));

    /// <param name="path">The folder.</param>
    /// <param name="isRead">Whether a file is one of the dataset's by its name.</param>
    /// <param name="what">What the dataset's files are.</param>
    public static void Note(string path, FoundFiles found, Predicate<string> isRead, string what, ProblemList problems)
    {
        // In ordinal order, since the walk's order differs between file systems.
        var others = found
            .Files.Where(file =>
                !isRead(file.Path) && LeftBehind.FolderOf(file.Path) is null && !PhotoFiles.IsOfSystem(Path.GetFileName(file.Path))
            )
            .OrderBy(file => file.Path, StringComparer.Ordinal)
            .ToLookup(file => PhotoFiles.IsPhoto(file.Path));
        if (others[true].FirstOrDefault() is { } first)
            problems.Add(first.Path, $"{others[true].Count():N0} photos beside the {what} are not read");
        foreach (var file in others[false])
        {
            if (Describe(Path.Combine(path, file.Path), file) is { } archive)
                problems.Add(file.Path, $"not read: {archive}");
        }
    }

    private static bool HasArchiveExtension(string name) =>
        TarDataset.IsTar(name) || ParquetFiles.IsParquet(name) || Extensions.Contains(Path.GetExtension(name));

    private static bool IsCalledAfterArchive(string name) =>
        name.Contains(".tar.", StringComparison.OrdinalIgnoreCase) || name.Contains(".parquet.", StringComparison.OrdinalIgnoreCase);

    /// <summary>What a file is, and what to do, where it may hold photos; else null.</summary>
    private static string? Describe(string full, FoundFile file)
    {
        var name = Path.GetFileName(file.Path);
        if (TarDataset.IsTar(name))
            return "a tar file beside files of another kind";
        if (ParquetFiles.IsParquet(name))
            return "a Parquet file beside files of another kind";
        var isNamed = IsArchive(name);
        if (!isNamed && Path.HasExtension(name))
            return null;
        try
        {
            // A pipe or device has no length, and opening it could wait for ever.
            var isThere = file.Bytes > 0 && file.Unusable is null;
            return isThere && MagicNumbers.Of(full) is { } kind ? kind
                : isNamed
                    ? "its name is that of a copy, an unfinished download or an unknown archive; fetch it to its end, unpack or rename it"
                : isThere && IsTar(full) ? "a tar file by its first bytes; name it .tar"
                : null;
        }
        // What is not read need not be readable.
        catch (UnauthorizedAccessException e)
        {
            return e.Message;
        }
    }

    private static bool IsTar(string full)
    {
        Span<byte> start = stackalloc byte[TarHeaders.BlockBytes];
        using var handle = File.OpenHandle(full);
        return FileSignatures.IsTar(start[..RandomAccess.Read(handle, start, 0)]);
    }
}
