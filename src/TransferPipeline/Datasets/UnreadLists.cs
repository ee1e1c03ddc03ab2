namespace TransferPipeline.Datasets;

/// <summary>
/// Files beside class folders that may give the photos' splits or labels by another way than folders do: train.txt, setid.mat,
/// train_test_split.txt, labels.csv. They are not read, and a given test split that is not used must not go unsaid.
/// </summary>
internal static class UnreadLists
{
    private const int MostNamed = 3;

    private static readonly HashSet<string> Extensions = new(
        [".txt", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".mat", ".lst", ".list", ".npy", ".npz", ".pkl", ".xml"],
        StringComparer.OrdinalIgnoreCase
    );

    private static readonly HashSet<string> SplitWords = new(
        ["trainval", "split", "splits", "fold", "folds", "setid", "partition", "partitions", "imagesets", "trainlist", "testlist"],
        StringComparer.OrdinalIgnoreCase
    );

    private static readonly HashSet<string> WithoutLabels = new(["sample", "submission", "test"], StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> LabelWords = new(
        ["labels", "imagelabels", "annotation", "annotations", "annos", "annot"],
        StringComparer.OrdinalIgnoreCase
    );

    /// <summary>Whether a file's name, or that of its folder, is one of lists of splits.</summary>
    public static bool NamesSplits(string path) => Has(path, word => SplitNames.Canonical(word) is not null || SplitWords.Contains(word));

    /// <summary>Whether a file is a table, or is called as what holds labels.</summary>
    public static bool NamesLabels(string path) => DatasetReader.IsTable(path) || Has(path, LabelWords.Contains);

    /// <summary>Notes such files among those that lie in no class folder with photos.</summary>
    /// <param name="hasSplits">Whether the folders give the splits.</param>
    public static void Note(IEnumerable<string> files, bool hasSplits, ProblemList problems)
    {
        var lists = files.Order(StringComparer.Ordinal).ToList();
        var splits = hasSplits ? [] : lists.FindAll(NamesSplits);
        var labels = lists.FindAll(file => NamesLabels(file) && !splits.Contains(file));
        if (splits.Count > 0)
            problems.Add(
                splits[0],
                $"{splits.Count:N0} files that may give the splits are not read ({Named(splits)}), and the photos are divided anew; for "
                    + "the given splits make folders of them, or a table with columns file, label and split"
            );
        if (labels.Count > 0)
            problems.Add(
                labels[0],
                $"{labels.Count:N0} files that may give labels or splits are not read ({Named(labels)}): the photos lie in class folders, "
                    + "and these are their labels; a table of photos and labels is read where it is given itself"
            );
    }

    /// <summary>What to say where photos lie in no class folders; empty where no file may hold their labels.</summary>
    public static string Hint(IEnumerable<string> files)
    {
        var lists = files.Where(file => NamesLabels(file) || NamesSplits(file)).Order(StringComparer.Ordinal).ToList();
        var tables = lists.FindAll(file => !file.Contains('/', StringComparison.Ordinal) && DatasetReader.IsTable(file));
        // Beside train.csv, Kaggle's sample_submission.csv and test.csv hold no labels.
        if ((tables.Find(table => !Has(table, WithoutLabels.Contains)) ?? tables.FirstOrDefault()) is { } table)
            return $"; if '{table}' holds their labels, give that file in place of the folder";
        return lists.Count > 0
            ? $"; if '{lists[0]}' holds their labels, make a table of it with columns file and label (and split, where they are given)"
            : "";
    }

    private static string Named(List<string> files) => FewNames.Of(files, MostNamed);

    private static bool Has(string path, Predicate<string> isWord)
    {
        if (!Extensions.Contains(Path.GetExtension(path)))
            return false;
        var parts = path.Split('/');
        return NameWords.Of(Path.GetFileNameWithoutExtension(parts[^1])).Any(word => isWord(word))
            || (parts.Length > 1 && NameWords.Of(parts[^2]).Any(word => isWord(word)));
    }
}
