namespace TransferPipeline.Datasets;

/// <summary>
/// Folders that systems and programs make beside photos: thumbnails, deleted files, resource forks. Their pictures are no photos of the
/// dataset.
/// </summary>
internal static class LeftBehind
{
    private static readonly Dictionary<string, string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["@eaDir"] = "what a Synology NAS keeps beside photos",
        ["#recycle"] = "deleted files of a Synology NAS",
        ["#snapshot"] = "snapshots of a NAS",
        ["~snapshot"] = "snapshots of a NAS",
        ["@Recently-Snapshot"] = "snapshots of a QNAP NAS",
        ["@tmp"] = "what a Synology NAS keeps",
        ["@Recycle"] = "deleted files of a QNAP NAS",
        ["@__thumb"] = "thumbnails of a QNAP NAS",
        [".@__thumb"] = "thumbnails of a QNAP NAS",
        ["_thumbs"] = "thumbnails",
        [".thumbs"] = "thumbnails",
        [".thumb"] = "thumbnails",
        [".thumbnails"] = "thumbnails",
        ["__MACOSX"] = "what macOS adds to archives",
        ["Network Trash Folder"] = "deleted files of macOS",
        ["Temporary Items"] = "what macOS keeps on a disk",
        ["$RECYCLE.BIN"] = "deleted files of Windows",
        ["RECYCLER"] = "deleted files of Windows",
        ["System Volume Information"] = "what Windows keeps on a disk",
        ["lost+found"] = "what a file system check leaves",
        ["FOUND.000"] = "what a file system check leaves",
        ["LOST.DIR"] = "what a file system check leaves",
        ["_gsdata_"] = "what a synchronization program keeps",
        ["__pycache__"] = "what Python keeps",
        [".picasaoriginals"] = "originals that Picasa keeps",
        [".ipynb_checkpoints"] = "copies that Jupyter keeps",
    };

    public static bool IsFolder(ReadOnlySpan<char> name) =>
        name.Length > 0
        && (
            name[0] == '.'
            || (
                // The first letters of the names above, so that most folders need
                // no hash. A new name needs its letter here.
                "@#_$~FLNRST".Contains(char.ToUpperInvariant(name[0]), StringComparison.Ordinal)
                && Known.GetAlternateLookup<ReadOnlySpan<char>>().ContainsKey(name)
            )
        );

    /// <summary>The first folder of a path that is such a one, or null.</summary>
    public static string? FolderOf(string path)
    {
        for (int start = 0, slash; (slash = path.IndexOf('/', start)) >= 0; start = slash + 1)
        {
            if (IsFolder(path.AsSpan(start, slash - start)))
                return path[start..slash];
        }

        return null;
    }

    /// <summary>Whether any folder on the path is such a one.</summary>
    public static bool Holds(string folder) => FolderOf(folder + "/") is not null;

    /// <summary>All that is found but for what lies in such folders; one line for each kind of folder that held photos.</summary>
    /// <returns>What is left, and the index of each file among those that were found; null where all are left.</returns>
    public static (FoundFiles Left, int[]? Items) Remove(FoundFiles found, ProblemList problems)
    {
        // Nearly all sets have no such folder; their lists are not copied.
        if (!found.Folders.Exists(Holds))
            return (found, null);
        var ignored = new SortedDictionary<string, (int Photos, string First)>(StringComparer.Ordinal);
        var items = new List<int>(found.Files.Count);
        for (var i = 0; i < found.Files.Count; i++)
        {
            var path = found.Files[i].Path;
            if (FolderOf(path) is not { } folder)
                items.Add(i);
            else if (PhotoFiles.IsPhoto(path) && !Path.GetFileName(path).StartsWith("._", StringComparison.Ordinal))
                ignored[folder] = ignored.TryGetValue(folder, out var before)
                    // The first one in ordinal order, since the walk's order differs between file systems.
                    ? (before.Photos + 1, string.CompareOrdinal(path, before.First) < 0 ? path : before.First)
                    : (1, path);
        }

        foreach (var (folder, (photos, first)) in ignored)
            problems.Add(
                first,
                $"{photos:N0} photos in folders '{folder}' are ignored: {Known.GetValueOrDefault(folder, "a hidden folder")}"
            );
        var left = new FoundFiles(items.ConvertAll(i => found.Files[i]), found.Folders.FindAll(folder => !Holds(folder)));
        left.UnusableFolders.AddRange(found.UnusableFolders);
        return (left, [.. items]);
    }
}
