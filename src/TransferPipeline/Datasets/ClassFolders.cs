namespace TransferPipeline.Datasets;

/// <summary>
/// torchvision's ImageFolder rules over a list of files: the first folder of a path is the class, or the split when all first folders
/// are names of splits; the order is split, class, folder, file, all ordinal.
/// </summary>
internal static class ClassFolders
{
    public static Arranged Arrange(string source, FoundFiles found, DatasetOptions options, ProblemList problems)
    {
        var hasSplits = HasSplitFolders(source, found.Folders);
        var depth = hasSplits ? 2 : 1;
        var photos = new List<(PhotoEntry Entry, int Item)>();
        var strays = 0;
        for (var i = 0; i < found.Files.Count; i++)
        {
            var file = found.Files[i];
            var parts = file.Path.Split('/');
            if (parts.Length <= depth)
                strays += PhotoFiles.IsPhoto(parts[^1]) ? 1 : 0;
            else if (!parts.SkipLast(1).Any(IsHidden) && Accept(file, problems))
                photos.Add((new PhotoEntry(file.Path, parts[depth - 1], hasSplits ? SplitNames.Canonical(parts[0])! : ""), i));
        }

        foreach (var folder in found.UnusableFolders)
            problems.Add(folder.Path, "ignored folder: " + folder.Unusable);
        CheckAny(source, photos.Count, strays, problems);
        NoteEmptyClasses(found.Folders, depth, photos.Select(p => p.Entry.Path), problems);
        photos.Sort((a, b) => Compare(a.Entry, b.Entry));
        NoteSameNames(photos.Select(p => p.Entry), problems);
        return Arranged.From(source, photos, options, problems);
    }

    private static bool Accept(FoundFile file, ProblemList problems)
    {
        var name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        if (PhotoFiles.IsOfSystem(name))
        {
            if (PhotoFiles.IsPhoto(name))
                problems.Add(file.Path, "ignored file: what macOS keeps beside a photo on a foreign disk");
            return false;
        }

        if (!PhotoFiles.IsPhoto(file.Path))
        {
            problems.Add(file.Path, "ignored file: its extension is not a photo's (.jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp)");
            return false;
        }

        if (file.Unusable is { } reason)
        {
            problems.Add(file.Path, "ignored file: " + reason);
            return false;
        }

        if (file.Bytes == 0)
            problems.Add(file.Path, "empty, or a pipe or device");
        return true;
    }

    /// <summary>Split folders are used when every folder is one; a class that happens to be called train or test is no split.</summary>
    private static bool HasSplitFolders(string source, List<string> folders)
    {
        var top = folders.Where(folder => !folder.Contains('/') && !IsHidden(folder)).ToList();
        var splits = top.Where(folder => SplitNames.Canonical(folder) is not null).Order(StringComparer.Ordinal).ToList();
        if (splits.Count > 1 && splits.Count < top.Count)
        {
            var other = top.Except(splits).Order(StringComparer.Ordinal).First();
            throw new BadInputException(
                $"{source} holds the split folders {string.Join(", ", splits)} and also '{other}', which is no split; expected splits only or classes only: move '{other}' elsewhere");
        }

        return splits.Count > 0 && splits.Count == top.Count;
    }

    private static void CheckAny(string source, int photos, int strays, ProblemList problems)
    {
        if (photos > 0 && strays > 0)
            problems.Add("", $"{strays:N0} photos lie outside the class folders and are ignored");
        if (photos > 0)
            return;
        throw new BadInputException(strays > 0
            ? $"{source} holds {strays:N0} photos but no class folders; expected a folder for each class with its photos inside"
            : $"{source} holds no photos; expected a folder for each class with .jpg, .png, ... files inside (or train and validation folders of such)");
    }

    private static void NoteEmptyClasses(List<string> folders, int depth, IEnumerable<string> photos, ProblemList problems)
    {
        var filled = new HashSet<string>();
        var lookup = filled.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var path in photos)
        {
            var end = path.IndexOf('/');
            for (var level = 1; level < depth; level++)
                end = path.IndexOf('/', end + 1);
            lookup.Add(path.AsSpan(0, end));
        }

        foreach (var folder in folders.Where(f => f.Count(c => c == '/') == depth - 1 && !f.Split('/').Any(IsHidden)).Order(StringComparer.Ordinal))
        {
            if (!filled.Contains(folder))
                problems.Add(folder, "the class folder has no photos; the class is left out");
        }
    }

    private static void NoteSameNames(IEnumerable<PhotoEntry> entries, ProblemList problems)
    {
        var shared = entries.GroupBy(e => (e.Split, Name: e.Path[(e.Path.LastIndexOf('/') + 1)..]))
            .Where(g => g.Select(e => e.Label).Distinct().Count() > 1).ToList();
        if (shared.Count > 0)
        {
            var first = shared[0].ToList();
            problems.Add(first[0].Path, $"{shared.Count:N0} file names occur in more than one class (this one also as {first.First(e => e.Label != first[0].Label).Path}); they are taken as different photos");
        }
    }

    private static bool IsHidden(string folder) => folder.StartsWith('.') || folder == "__MACOSX";

    private static int Compare(PhotoEntry a, PhotoEntry b)
    {
        var order = SplitNames.Order(a.Split).CompareTo(SplitNames.Order(b.Split));
        if (order == 0)
            order = string.CompareOrdinal(a.Label, b.Label);
        var (folderA, folderB) = (a.Path.LastIndexOf('/'), b.Path.LastIndexOf('/'));
        if (order == 0)
            order = a.Path.AsSpan(0, folderA).SequenceCompareTo(b.Path.AsSpan(0, folderB));
        return order != 0 ? order : string.CompareOrdinal(a.Path, b.Path);
    }
}
