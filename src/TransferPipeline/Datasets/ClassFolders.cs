namespace TransferPipeline.Datasets;

/// <summary>
/// torchvision's ImageFolder rules over a list of files: the first folder of a path is the class, or the split when all first folders
/// are names of splits; the order is split, class, folder, file, all ordinal.
/// </summary>
internal static class ClassFolders
{
    // An archive holds a copy of the photos or more of them: which one is for the user to say.
    private const string NotRead =
        "not read: the photos in the class folders beside it are taken; if it holds more of them, give the file itself or unpack it";

    /// <returns>The photos in order, and the form of the folders in words.</returns>
    public static (OrderedPhotos Photos, string Form) Arrange(string source, FoundFiles found, DatasetOptions options, ProblemList problems)
    {
        // Before the layout is found, since a folder of thumbnails beside the classes must not count as a class.
        (found, var items) = LeftBehind.Remove(found, problems);
        var layout = FolderLayout.Of(source, found, problems);
        var photos = new List<(PhotoEntry Entry, int Item)>();
        var filled = new HashSet<string>(StringComparer.Ordinal);
        // Folders with photos inside class folders, which a class folder that is none has too.
        var inner = new SortedSet<string>(StringComparer.Ordinal);
        var strays = 0;
        var ignored = new List<(string Path, string Problem)>();
        // Files that are no photos, with the class folder that they lie in.
        var others = new List<(string Path, string? Folder)>();
        // No folder is called '/', so that the first file's folder is placed as any other.
        var (folderOfLast, place) = ("/", layout.Place(""));
        for (var i = 0; i < found.Files.Count; i++)
        {
            // Files come folder by folder: what a folder means is found once.
            var file = found.Files[i];
            var folder = file.Path.AsSpan(0, file.Path.LastIndexOf('/') + 1);
            if (!folder.SequenceEqual(folderOfLast))
                (folderOfLast, place) = (folder.ToString(), layout.Place(file.Path));
            if (!PhotoFiles.IsPhoto(file.Path))
                others.Add((file.Path, place?.Folder));
            if (place is not { } known)
            {
                strays += PhotoFiles.IsPhoto(file.Path) ? 1 : 0;
                // A link to nothing may be a class folder on a disk that is not mounted.
                if (file.Unusable is { } reason)
                    ignored.Add((file.Path, "ignored file: " + reason));
                else if (LeftAside.IsArchive(file.Path))
                    ignored.Add((file.Path, NotRead));
            }
            else if (Accept(file, ignored))
            {
                photos.Add((new PhotoEntry(file.Path, known.Label, known.Split), items?[i] ?? i));
                filled.Add(known.Folder);
                if (folderOfLast.Length > known.Folder.Length + 1)
                    inner.Add(folderOfLast[..^1]);
            }
        }

        ignored.AddRange(found.UnusableFolders.Select(folder => (folder.Path, "ignored folder: " + folder.Unusable)));
        // The walk's order is the file system's, which differs between machines.
        foreach (var (path, problem) in ignored.OrderBy(file => file.Path, StringComparer.Ordinal))
            problems.Add(path, problem);
        CheckAny(source, found, photos.Count, strays, problems);
        UnreadLists.Note(others.Where(f => f.Folder is null || !filled.Contains(f.Folder)).Select(f => f.Path), layout.HasSplits, problems);
        NoteEmptyClasses(found.Folders, layout, filled, problems);
        foreach (var empty in layout.SplitFolders.Where(s => !photos.Exists(p => p.Entry.Split == s.Value)))
            problems.Add(empty.Key, "the split folder has no photos in class folders; the split is left out");
        if (!layout.HasSplitsInClasses)
            NoteInner(inner, problems);
        NoteOnlyFolder(photos.Select(p => p.Entry.Label), others.ConvertAll(f => f.Path), problems);
        NoteSplitsAsClasses(photos.Select(p => p.Entry), inner, layout, problems);
        // Paths are unique, so that an unstable sort gives one order only.
        photos.Sort((a, b) => Compare(a.Entry, b.Entry));
        NoteSameNames(photos.Select(p => p.Entry), problems);
        return (OrderedPhotos.From(source, photos, options, problems), layout.Form);
    }

    private static bool Accept(FoundFile file, List<(string Path, string Problem)> ignored)
    {
        var name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        // First, since ._photo.jpg has the extension of a photo.
        if (PhotoFiles.IsOfSystem(name))
        {
            // Thumbs.db and .DS_Store lie in many folders; only what looks like a photo is worth a line.
            if (PhotoFiles.IsPhoto(name))
                ignored.Add(
                    (
                        file.Path,
                        name[0] switch
                        {
                            '~' => "ignored file: what an editor keeps while a file is open",
                            'S' => "ignored file: a thumbnail of a Synology NAS",
                            _ => "ignored file: what macOS keeps beside a photo on a foreign disk",
                        }
                    )
                );
            return false;
        }

        // Before the extension: a link to nothing may have been a folder.
        if (file.Unusable is { } reason)
        {
            ignored.Add((file.Path, "ignored file: " + reason));
            return false;
        }

        if (!PhotoFiles.IsPhoto(file.Path))
        {
            ignored.Add((file.Path, $"ignored file: its extension is not a photo's ({PhotoFiles.ExtensionList})"));
            return false;
        }

        // It stays in the dataset, so that an extraction records it as failed with its reason.
        if (file.Bytes == 0)
            ignored.Add((file.Path, PhotoFiles.Empty));
        return true;
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
                    + (
                        found.Files.Exists(file => file.Path.Contains('\\', StringComparison.Ordinal))
                            ? " (their names have backslashes, as a program on Windows packed them: unpack the archive there)"
                            : UnreadLists.Hint(found.Files.Select(file => file.Path))
                    )
                : $"{source} holds no photos{Others(found)}; expected a folder for each class with .jpg, .png, ... files inside (or train "
                    + $"and validation folders of such)"
        );
    }

    /// <summary>What there is in place of photos.</summary>
    private static string Others(FoundFiles found)
    {
        var others = found.Files.Where(file => !PhotoFiles.IsOfSystem(Path.GetFileName(file.Path))).Select(file => file.Path).ToList();
        if (
            others.Find(path => Path.GetFileNameWithoutExtension(path) is "data_batch_1" or "test_batch" or "fine_label_names") is { } batch
        )
            return $" but files of CIFAR ('{batch}'), which are read from a folder: unpack the archive and give its folder";
        if (others.Where(path => OtherForms.Of(path) is not null).Min(StringComparer.Ordinal) is { } form)
            return $" but '{form}', {OtherForms.Of(form)}";
        return (others.Where(LeftAside.IsArchive).Min(StringComparer.Ordinal), others.Min(StringComparer.Ordinal)) switch
        {
            ({ } file, _) when ParquetFiles.IsParquet(file) =>
                $" but Parquet files deeper inside ('{file}'): give the folder that they lie in",
            ({ } archive, _) => $" but an archive ('{archive}'): unpack it, or give the file itself where it is a tar file",
            (null, { } first) => $" but {others.Count:N0} other files, such as '{first}'",
            _ => "",
        };
    }

    private static void NoteEmptyClasses(List<string> folders, FolderLayout layout, HashSet<string> filled, ProblemList problems)
    {
        foreach (var folder in folders.Order(StringComparer.Ordinal))
        {
            if (layout.Place(folder + "/") is { } place && place.Folder == folder && !filled.Contains(folder))
                problems.Add(folder, "the class folder has no photos; the class is left out");
        }
    }

    /// <summary>One folder of all photos with a list beside it is rather a table's than a class.</summary>
    private static void NoteOnlyFolder(IEnumerable<string> labels, List<string> others, ProblemList problems)
    {
        if (labels.Distinct().ToList() is [var only] && UnreadLists.Hint(others) is { Length: > 0 } hint)
            problems.Add(only, "the only folder with photos is taken as a class" + hint);
    }

    private static void NoteInner(SortedSet<string> inner, ProblemList problems)
    {
        if (inner.Count > 0)
            problems.Add(
                inner.Min!,
                $"{inner.Count:N0} folders inside the class folders hold photos, which count as photos of the class; if these folders are "
                    + $"the classes, give the folder that they lie in"
            );
    }

    /// <summary>A split whose photos lie in no class folders, or one split beside a folder that is none, passes for a class.</summary>
    private static void NoteSplitsAsClasses(
        IEnumerable<PhotoEntry> photos,
        SortedSet<string> inner,
        FolderLayout layout,
        ProblemList problems
    )
    {
        var nested = layout.HasSplitsInClasses ? [] : inner.Select(folder => layout.Place(folder + "/")?.Label).ToHashSet();
        List<string> labels = [.. photos.Select(p => p.Label).Distinct().Order(StringComparer.Ordinal)];
        // cars_train and cars_test; one folder of such a name among others may be a class.
        var areSplits = labels.Select(SplitNames.Within).OfType<string>().Distinct().Count() > 1;
        foreach (var label in labels)
        {
            if (SplitNames.IsNumbered(label) || ((areSplits || nested.Contains(label)) && SplitNames.Within(label) is not null))
                problems.Add(label, "the folder is taken as a class, though its name is that of a split");
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
