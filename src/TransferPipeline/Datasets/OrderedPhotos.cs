namespace TransferPipeline.Datasets;

/// <summary>Labelled photos in their final order, with the place of each in what the reader found.</summary>
/// <param name="Items">For each entry its index among the files, members or rows that were found.</param>
internal sealed record OrderedPhotos(PhotoEntry[] Entries, int[] Items, string[] Classes)
{
    /// <summary>What all forms of data have in common: choose classes, complete the splits, note what is missing.</summary>
    /// <param name="photos">In order; a split is empty where the data names none.</param>
    public static OrderedPhotos From(
        string source,
        IReadOnlyList<(PhotoEntry Entry, int Item)> photos,
        DatasetOptions options,
        ProblemList problems
    )
    {
        // First, since two forms of one name must count as one class when classes are chosen and splits are drawn.
        photos = AlikeNames.MergeClasses(photos, problems);
        var classes = ChooseClasses(source, [.. photos.Select(p => p.Entry.Label).Distinct().Order(StringComparer.Ordinal)], options);
        var known = classes.ToHashSet();
        var kept = photos.Where(p => known.Contains(p.Entry.Label)).ToArray();
        var entries = Array.ConvertAll(kept, p => p.Entry);
        // After the choice of classes: shares are of the photos that are used.
        StratifiedSplit.Complete(entries, options);
        // After Complete: a validation split that was requested comes out of the
        // training photos and leaves the test split alone.
        if (options.TestAsValidation && !Array.Exists(entries, e => e.Split == Splits.Validation))
            entries = Array.ConvertAll(entries, e => e.Split == Splits.Test ? e with { Split = Splits.Validation } : e);
        NoteMissing(entries, classes, problems);
        AlikeNames.NoteClasses(classes, problems);
        AlikeNames.NoteCopies(classes, problems);
        AlikeNames.NoteNumbers(classes, problems);
        AlikeNames.NoteDoubtful(classes, problems);
        CombinedLabels.Note(classes, problems);
        UnusedNames.Note(source, classes, problems);
        AlikeNames.NotePhotos(entries, problems);
        return new OrderedPhotos(entries, Array.ConvertAll(kept, p => p.Item), classes);
    }

    /// <summary>The classes that are wanted of those that are there.</summary>
    private static string[] ChooseClasses(string source, string[] found, DatasetOptions options)
    {
        if (options.Classes.Count == 0)
            return found;
        // In another Unicode form than the one typed the name is the same, as of classes that are merged.
        var forms = found.ToDictionary(UnicodeForms.Decompose, StringComparer.Ordinal);
        var wanted = options.Classes.Select(name =>
            forms.GetValueOrDefault(UnicodeForms.Decompose(name))
            ?? throw new UsageException($"{source} has no class '{name}'{NearestName.Hint(name, found)}")
        );
        // A class's number is its place in ordinal order, whatever the order in which the user names the classes.
        return [.. wanted.Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Notes classes that a split lacks, and data of one class.</summary>
    private static void NoteMissing(PhotoEntry[] entries, string[] classes, ProblemList problems)
    {
        var there = entries.Select(e => (e.Split, e.Label)).ToHashSet();
        foreach (var split in there.Select(t => t.Split).Distinct().OrderBy(SplitNames.Order))
        {
            foreach (var name in classes.Where(name => !there.Contains((split, name))))
                problems.Add(name, $"the class has no photo in split {split}");
        }

        if (classes.Length == 1)
            problems.Add(classes[0], "the only class: a head needs at least two");
    }
}
