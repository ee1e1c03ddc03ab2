using System.IO.Enumeration;

namespace TransferPipeline.Datasets;

/// <summary>Which files are photos, and how folders are walked.</summary>
internal static class PhotoFiles
{
    /// <summary>torchvision's IMG_EXTENSIONS; a .gif is not among them.</summary>
    private static readonly string[] Known = [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"];

    /// <summary>The line for a photo without bytes, in all forms of data.</summary>
    public const string Empty = "empty, or a pipe or device";

    private static readonly HashSet<string> Extensions = new(Known, StringComparer.OrdinalIgnoreCase);

    /// <summary>More folders inside each other than any photo collection has: symbolic links that form a loop.</summary>
    private const int DeepestFolder = 64;

    /// <summary>All extensions of photos, for people.</summary>
    public static string ExtensionList { get; } = string.Join(' ', Known);

    public static bool IsPhoto(ReadOnlySpan<char> name) =>
        Extensions.GetAlternateLookup<ReadOnlySpan<char>>().Contains(Path.GetExtension(name));

    /// <summary>
    /// What systems leave in folders: AppleDouble files such as <c>._photo.jpg</c> (RFC 1740), files that hold a name while an editor works
    /// (<c>~$photo.jpg</c>), and thumbnails of a Synology NAS outside their folder.
    /// </summary>
    public static bool IsOfSystem(string name) =>
        name.StartsWith("._", StringComparison.Ordinal)
        || name.StartsWith("~$", StringComparison.Ordinal)
        || name.StartsWith("SYNOFILE_THUMB", StringComparison.Ordinal)
        || name.StartsWith("SYNOPHOTO_THUMB", StringComparison.Ordinal)
        || name is ".DS_Store"
        || name.Equals("Thumbs.db", StringComparison.OrdinalIgnoreCase)
        || name.Equals("desktop.ini", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Every file below <paramref name="folder"/>, symbolic links followed, with length and time from the walk itself (one call for
    /// each file; 10,000 take some 50 ms). A folder that is reached a second time on the way down, by a link, is not entered again.
    /// </summary>
    /// <exception cref="BadInputException">A folder cannot be listed.</exception>
    public static FoundFiles Walk(string folder)
    {
        var found = new FoundFiles([], []);
        try
        {
            Walk(folder, "", [RealPath(new DirectoryInfo(folder))], found);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new BadInputException($"{folder} cannot be listed: {e.Message}", e);
        }

        return found;
    }

    private static void Walk(string folder, string prefix, List<string> above, FoundFiles all)
    {
        var entries = new FileSystemEnumerable<(FoundFile File, bool IsFolder, bool IsLink)>(
            folder,
            (ref FileSystemEntry entry) =>
                (
                    new FoundFile(
                        prefix + entry.FileName.ToString(),
                        entry.IsDirectory ? 0 : entry.Length,
                        entry.IsDirectory ? 0 : Nanoseconds(entry.LastWriteTimeUtc)
                    ),
                    entry.IsDirectory,
                    (entry.Attributes & FileAttributes.ReparsePoint) != 0
                ),
            // A folder that cannot be read is an error, since its photos would be missing without a line.
            new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false }
        );
        foreach (var (file, isFolder, isLink) in entries)
        {
            var full = Path.Combine(folder, file.Path[prefix.Length..]);
            if (file.Path.Contains('\uFFFD', StringComparison.Ordinal) && !Path.Exists(full))
            {
                // What cannot be written in UTF-8 comes as U+FFFD, and nothing is found under that name.
                (isFolder ? all.UnusableFolders : all.Files).Add(file with { Unusable = "its name is not UTF-8; rename it" });
            }
            else if (isLink && !isFolder)
            {
                all.Files.Add(Followed(file, full));
            }
            else if (!isFolder)
            {
                all.Files.Add(file);
            }
            else
            {
                // Only a link has to be resolved: the real path of an ordinary folder follows from that of its parent.
                var real = isLink ? RealPath(new DirectoryInfo(full)) : Path.Combine(above[^1], file.Path[prefix.Length..]);
                all.Folders.Add(file.Path);
                // Only the folders on the way down count: two links to one
                // folder are both followed, as torchvision does.
                if (above.Count < DeepestFolder && !above.Contains(real))
                    Walk(full, file.Path + "/", [.. above, real], all);
            }
        }
    }

    /// <summary>The walk saw the link; size and time are those of what it points to.</summary>
    private static FoundFile Followed(FoundFile link, string full)
    {
        try
        {
            if (new FileInfo(full).ResolveLinkTarget(returnFinalTarget: true) is FileInfo { Exists: true } target)
                return link with { Bytes = target.Length, Mtime = Nanoseconds(target.LastWriteTimeUtc) };
        }
        catch (IOException)
        {
            // Links that lead to each other.
        }

        return link with
        {
            Unusable = "a symbolic link to nothing",
        };
    }

    private static string RealPath(DirectoryInfo folder) => folder.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder.FullName;

    internal static long Nanoseconds(DateTimeOffset time) => (time.UtcTicks - DateTime.UnixEpoch.Ticks) * 100;

    internal static long Nanoseconds(DateTime utc) => (utc.Ticks - DateTime.UnixEpoch.Ticks) * 100;
}

/// <summary>All that a folder or an archive holds.</summary>
internal sealed record FoundFiles(List<FoundFile> Files, List<string> Folders)
{
    public List<FoundFile> UnusableFolders { get; } = [];
}

/// <param name="Path">From the folder that was walked, with '/'.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Mtime">Last write, nanoseconds since 1970 UTC.</param>
internal sealed record FoundFile(string Path, long Bytes, long Mtime)
{
    /// <summary>Why it cannot be opened, or null.</summary>
    public string? Unusable { get; init; }
}
