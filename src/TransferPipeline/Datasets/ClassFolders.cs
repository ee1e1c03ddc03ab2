namespace TransferPipeline.Datasets;

/// <summary>
/// torchvision's ImageFolder rules over a list of files: the first folder of a path is the class, or the split when all first folders
/// are names of splits; the order is split, class, folder, file, all ordinal.
/// </summary>
internal static class ClassFolders
{
    /// <returns>The photos in order, and the form of the folders in words.</returns>
    public static (Arranged Photos, string Form) Arrange(string source, FoundFiles found, DatasetOptions options, ProblemList problems)
    {
        // Before the layout is found, since a folder of thumbnails beside the classes must not count as a class.
        (found, var items) = LeftBehind.Remove(found, problems);
        var layout = FolderLayout.Of(source, found, problems);
        var photos = new List<(PhotoEntry Entry, int Item)>();
        var filled = new HashSet<string>(StringComparer.Ordinal);
        var strays = 0;
        // No folder is called '/', so that the first file's folder is placed as any other.
        var (folderOfLast, place) = ("/", layout.Place(""));
        for (var i = 0; i < found.Files.Count; i++)
        {
            // Files come folder by folder: what a folder means is found once.
            var file = found.Files[i];
            var folder = file.Path.AsSpan(0, file.Path.LastIndexOf('/') + 1);
            if (!folder.SequenceEqual(folderOfLast))
                (folderOfLast, place) = (folder.ToString(), layout.Place(file.Path));
            if (place is not { } known)
            {
                strays += PhotoFiles.IsPhoto(file.Path) ? 1 : 0;
                // A link to nothing may be a class folder on a disk that is not mounted.
                if (file.Unusable is { } reason)
                    problems.Add(file.Path, "ignored file: " + reason);
                NoteArchive(file.Path, problems);
            }
            else if (Accept(file, problems))
            {
                photos.Add((new PhotoEntry(file.Path, known.Label, known.Split), items?[i] ?? i));
                filled.Add(known.Folder);
            }
        }

        foreach (var folder in found.UnusableFolders)
            problems.Add(folder.Path, "ignored folder: " + folder.Unusable);
        CheckAny(source, found, photos.Count, strays, problems);
        NoteEmptyClasses(found.Folders, layout, filled, problems);
        // Paths are unique, so that an unstable sort gives one order only.
        photos.Sort((a, b) => Compare(a.Entry, b.Entry));
        NoteSameNames(photos.Select(p => p.Entry), problems);
        return (Arranged.From(source, photos, options, problems), layout.Form);
    }

    private static bool Accept(FoundFile file, ProblemList problems)
    {
        var name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        // First, since ._photo.jpg has the extension of a photo.
        if (PhotoFiles.IsOfSystem(name))
        {
            // Thumbs.db and .DS_Store lie in many folders; only what looks like a photo is worth a line.
            if (PhotoFiles.IsPhoto(name))
                problems.Add(file.Path, "ignored file: what macOS keeps beside a photo on a foreign disk");
            return false;
        }

        // Before the extension: a link to nothing may have been a folder.
        if (file.Unusable is { } reason)
        {
            problems.Add(file.Path, "ignored file: " + reason);
            return false;
        }

        if (!PhotoFiles.IsPhoto(file.Path))
        {
            problems.Add(file.Path, "ignored file: its extension is not a photo's (.jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp)");
            return false;
        }

        // It stays in the dataset, so that an extraction records it as failed with its reason.
        if (file.Bytes == 0)
            problems.Add(file.Path, "empty, or a pipe or device");
        return true;
    }

    /// <summary>An archive holds a copy of the photos or more of them: which one is for the user to say.</summary>
    private static void NoteArchive(string path, ProblemList problems)
    {
        if (LeftAside.IsArchive(path))
            problems.Add(
                path,
                "not read: the photos in the class folders beside it are taken; if it holds more of them, give the file itself or unpack it"
            );
    }

    private static void CheckAny(string source, FoundFiles found, int photos, int strays, ProblemList problems)
    {
        if (photos > 0 && strays > 0)
            problems.Add("", $"{strays:N0} photos lie outside the class folders and are ignored");
        if (photos > 0)
            return;
        var unusable = found.UnusableFolders.Concat(found.Files.Where(file => file.Unusable is not null)).ToList();
        if (strays == 0 && unusable.MinBy(file => file.Path, StringComparer.Ordinal) is { } first)
            throw new BadInputException(
                $"{source} holds no photos that can be opened; of {unusable.Count:N0} files and folders the first is '{first.Path}': "
                    + $"{first.Unusable}"
            );
        throw new BadInputException(
            strays > 0
                ? $"{source} holds {strays:N0} photos but no class folders; expected a folder for each class with its photos inside"
                : $"{source} holds no photos; expected a folder for each class with .jpg, .png, ... files inside (or train and "
                    + $"validation folders of such)"
        );
    }

    private static void NoteEmptyClasses(List<string> folders, FolderLayout layout, HashSet<string> filled, ProblemList problems)
    {
        foreach (var folder in folders.Order(StringComparer.Ordinal))
        {
            if (layout.Place(folder + "/") is { } place && place.Folder == folder && !filled.Contains(folder))
                problems.Add(folder, "the class folder has no photos; the class is left out");
        }
    }

    private static void NoteSameNames(IEnumerable<PhotoEntry> entries, ProblemList problems)
    {
        var shared = entries
            .GroupBy(e => (e.Split, Name: e.Path[(e.Path.LastIndexOf('/') + 1)..]))
            .Where(g => g.Select(e => e.Label).Distinct().Count() > 1)
            .ToList();
        if (shared.Count > 0)
        {
            var first = shared[0].ToList();
            problems.Add(
                first[0].Path,
                $"{shared.Count:N0} file names occur in more than one class (this one also as "
                    + $"{first.First(e => e.Label != first[0].Label).Path}); they are taken as different photos"
            );
        }
    }

    private static int Compare(PhotoEntry a, PhotoEntry b)
    {
        var order = SplitNames.Order(a.Split).CompareTo(SplitNames.Order(b.Split));
        if (order == 0)
            order = string.CompareOrdinal(a.Label, b.Label);
        var (folderA, folderB) = (a.Path.LastIndexOf('/'), b.Path.LastIndexOf('/'));
        // torchvision walks folder by folder: the photos of a class folder itself come before those of its subfolders.
        if (order == 0)
            order = a.Path.AsSpan(0, folderA).SequenceCompareTo(b.Path.AsSpan(0, folderB));
        return order != 0 ? order : string.CompareOrdinal(a.Path, b.Path);
    }
}
