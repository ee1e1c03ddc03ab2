namespace TransferPipeline.Datasets;

/// <summary>
/// Which folders of a path are the split and the class. The plain form is ImageFolder's; around it people hold a wrapper folder, a folder
/// inside one of the same name (seg_train/seg_train, as archives of Kaggle unpack), and split folders inside the class folders.
/// </summary>
internal sealed class FolderLayout
{
    private readonly string _wrapper;
    private readonly HashSet<string> _doubled;
    private readonly Dictionary<string, string> _splits;
    private readonly bool _splitsInClasses;

    private FolderLayout(string wrapper, HashSet<string> doubled, Dictionary<string, string> splits, bool splitsInClasses) =>
        (_wrapper, _doubled, _splits, _splitsInClasses) = (wrapper, doubled, splits, splitsInClasses);

    /// <summary>Names of the split folders and what they are taken for; empty where the data has none.</summary>
    public IReadOnlyDictionary<string, string> SplitFolders => _splits;

    public bool HasSplits => _splits.Count > 0;

    /// <summary>Whether the folders inside the class folders are splits.</summary>
    public bool HasSplitsInClasses => _splitsInClasses;

    /// <summary>In words, for people.</summary>
    public string Form =>
        (
            !HasSplits ? "class folders"
            : _splitsInClasses ? "class folders with split folders inside"
            : "split folders with class folders inside"
        ) + (_wrapper.Length > 0 ? $", in the folder {_wrapper.TrimEnd('/')}" : "");

    /// <summary>
    /// The class folder of a file or folder, its class and its split (empty where the data names none); null where it lies in no class
    /// folder.
    /// </summary>
    public (string Folder, string Label, string Split)? Place(string path)
    {
        if (!path.StartsWith(_wrapper, StringComparison.Ordinal))
            return null;
        if (Next(path, _wrapper.Length) is not { } first)
            return null;
        var (top, end) = first;
        if (_doubled.Contains(top) && Next(path, end + 1) is { } again && again.Name == top)
            end = again.End;
        if (!HasSplits)
            return (path[..end], top, "");
        if (Next(path, end + 1) is not { } second)
            return null;
        if (!_splitsInClasses)
            return _splits.TryGetValue(top, out var split) ? (path[..second.End], second.Name, split) : null;
        return _splits.TryGetValue(second.Name, out var inside) ? (path[..end], top, inside) : null;
    }

    public static FolderLayout Of(string source, FoundFiles found, ProblemList problems)
    {
        var tree = new FolderTree(found);
        var wrapper = Wrapper(tree);
        if (wrapper.Length > 0)
            problems.Add(wrapper.TrimEnd('/'), "the folder holds everything; the folders inside it are taken for the classes or splits");
        var top = tree.Children(wrapper);
        var doubled = top.Where(name => tree.Children($"{wrapper}{name}/") is [var only] && only == name && !tree.HasPhotos(wrapper + name))
            .ToHashSet();
        // Exact names of splits come first, since words inside names need class folders that agree as evidence.
        var splits = StrictSplits(source + (wrapper.Length > 0 ? "/" + wrapper.TrimEnd('/') : ""), top);
        foreach (var name in doubled.Where(splits.ContainsKey).Order(StringComparer.Ordinal))
            problems.Add(wrapper + name, "the folder inside it has the same name; they are read as one folder");
        if (splits.Count == 0)
            splits = LooseSplits(tree, wrapper, top, doubled, problems);
        if (splits.Count > 0)
        {
            foreach (var same in splits.GroupBy(s => s.Value).Where(g => g.Count() > 1))
                problems.Add(
                    same.First().Key,
                    $"the folders {string.Join(", ", same.Select(s => s.Key).Order(StringComparer.Ordinal))} are all taken as split "
                        + $"{same.Key}"
                );
            return new(wrapper, doubled, splits, splitsInClasses: false);
        }

        // Last: train and test inside the class folders count only where the top folders are no splits.
        splits = SplitsInClasses(tree, wrapper, top, problems);
        // Without splits at the top the outer one of two folders of one name is the class anyway, so none is skipped.
        return new(wrapper, [], splits, splits.Count > 0);
    }

    /// <summary>The name of the folder that begins at a place of a path, and where it ends; null where no folder begins there.</summary>
    private static (string Name, int End)? Next(string path, int start) =>
        start < path.Length && path.IndexOf('/', start) is >= 0 and var end ? (path[start..end], end) : null;

    /// <summary>
    /// The folders around everything: only one at each level, none with the name of a split, and photos deeper than in it.
    /// </summary>
    private static string Wrapper(FolderTree tree)
    {
        var wrapper = "";
        // Only folders with photos below them count: a folder of notes or licenses beside the wrapper changes nothing.
        while (
            !tree.HasPhotos(wrapper.TrimEnd('/'))
            && tree.Children(wrapper).Where(name => tree.HasPhotosBelow(wrapper + name)).ToList() is [var only]
            && SplitNames.Canonical(only) is null
            && !tree.HasPhotos(wrapper + only)
            && tree.Children($"{wrapper}{only}/").Count > 0
        )
        {
            wrapper += only + "/";
        }

        return wrapper;
    }

    /// <summary>Split folders are used when every folder is one; a class that happens to be called train or test is no split.</summary>
    private static Dictionary<string, string> StrictSplits(string source, List<string> top)
    {
        var splits = top.Where(folder => SplitNames.Canonical(folder) is not null).Order(StringComparer.Ordinal).ToList();
        // One folder called train among others is a class of that name; two are
        // splits, and photos of the other one would be lost.
        if (splits.Count > 1 && splits.Count < top.Count)
        {
            var other = top.Except(splits).Order(StringComparer.Ordinal).First();
            throw new BadInputException(
                $"{source} holds the split folders {string.Join(", ", splits)} and also '{other}', which is no split; expected splits "
                    + $"only or classes only: move '{other}' elsewhere"
            );
        }

        return splits.Count > 0 && splits.Count == top.Count ? splits.ToDictionary(name => name, name => SplitNames.Canonical(name)!) : [];
    }

    /// <summary>
    /// Folders such as seg_train and test_set: at least two splits of which two share a class folder. What else lies beside them has photos
    /// without class folders, as seg_pred has, or is a folder without photos.
    /// </summary>
    private static Dictionary<string, string> LooseSplits(
        FolderTree tree,
        string wrapper,
        List<string> top,
        HashSet<string> doubled,
        ProblemList problems
    )
    {
        var splits = new Dictionary<string, string>();
        var classes = new List<string[]>();
        var others = new List<string>();
        foreach (var name in top)
        {
            var folder = wrapper + name + (doubled.Contains(name) ? "/" + name : "");
            var inside = tree.Children(folder + "/").Where(child => tree.HasPhotosBelow($"{folder}/{child}")).ToArray();
            if (inside.Length > 0 && !tree.HasPhotos(folder) && SplitNames.Within(name) is { } split)
            {
                splits.Add(name, split);
                classes.Add(inside);
            }
            else if (inside.Length == 0)
            {
                others.Add(name);
            }
            else
            {
                // A folder of class folders whose name has no split's word: then all of them are classes.
                return [];
            }
        }

        // test_tube and train_car may be classes: class folders that both have show that these are splits.
        if (splits.Values.Distinct().Count() < 2 || !classes.SelectMany(c => c).GroupBy(c => c).Any(g => g.Count() > 1))
            return [];
        problems.Add(
            string.Join(", ", splits.Keys.Order(StringComparer.Ordinal)),
            $"taken as the splits {string.Join(", ", splits.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => s.Value))}"
        );
        foreach (var name in others.Where(name => tree.HasPhotosBelow(wrapper + name)))
            problems.Add(name, "ignored folder: its photos lie in no class folders, as the splits' photos do");
        return splits;
    }

    /// <summary>Every class folder holds split folders only, two splits at least.</summary>
    private static Dictionary<string, string> SplitsInClasses(FolderTree tree, string wrapper, List<string> top, ProblemList problems)
    {
        var filled = top.Where(name => tree.HasPhotosBelow(wrapper + name)).ToList();
        var inside = filled
            .SelectMany(name => tree.Children($"{wrapper}{name}/"))
            .Distinct()
            .Where(child => SplitNames.Canonical(child) is not null)
            .ToList();
        if (inside.Select(SplitNames.Canonical).Distinct().Count() < 2)
            return [];
        var where = string.Join(", ", inside.Order(StringComparer.Ordinal));
        if (
            filled.TrueForAll(name =>
                !tree.HasPhotos(wrapper + name)
                && tree.Children($"{wrapper}{name}/").TrueForAll(child => SplitNames.Canonical(child) is not null)
            )
        )
        {
            problems.Add(where, "folders inside the class folders that are taken as splits");
            return inside.ToDictionary(name => name, name => SplitNames.Canonical(name)!);
        }

        problems.Add(
            where,
            "folders inside the class folders that have names of splits, beside others or photos: they are taken as part of the class"
        );
        return [];
    }
}
