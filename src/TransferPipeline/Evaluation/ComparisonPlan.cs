namespace TransferPipeline.Evaluation;

/// <summary>A head on a feature set.</summary>
/// <param name="Set">Index of the feature set.</param>
/// <param name="Name">Short name of the head among those of the comparison.</param>
/// <param name="OnSet">What titles have behind the head where there are several sets; else empty.</param>
internal sealed record ComparedPair(int Set, HeadSpec Spec, string Name, string OnSet)
{
    public string Title => HeadSpec.Join(Spec.Title, OnSet);

    public string ShortName => HeadSpec.Join(Name, OnSet);
}

/// <summary>What a comparison does, found before any head is trained.</summary>
/// <param name="Pairs">Every head on every set. A head that came with its backbone is on that backbone's set alone.</param>
/// <param name="Views">One per set, with their rows in one order: tests are paired, so row i must be the same photo in each.</param>
/// <param name="Protocol">One for all heads and sets.</param>
/// <param name="Duplicates">Near-duplicates; empty where they are not looked for.</param>
/// <param name="Groups">For each photo the group that folds must not part; null without groups.</param>
internal sealed record ComparisonPlan(
    IReadOnlyList<FeatureSource> Sources,
    IReadOnlyList<ComparedPair> Pairs,
    IReadOnlyList<FeatureView> Views,
    Protocol Protocol,
    DuplicatePair[] Duplicates,
    int[]? Groups
)
{
    /// <exception cref="UsageException">Options contradict each other or a head is unavailable.</exception>
    /// <exception cref="BadInputException">The feature sets do not match, or have too few photos for the options.</exception>
    public static ComparisonPlan Make(
        ComparisonOptions options,
        IReadOnlyList<FeatureSource> sources,
        IReadOnlyList<HeadSpec> heads,
        Action<string> warn
    )
    {
        if (sources.Count == 0)
            Throw.Usage("no feature set was given");
        if (options.Contradiction is var (_, problem))
            Throw.Usage(problem);
        // 1. Heads on sets.
        var specs = Available(heads, warn);
        if (options.Folds > 0 && sources.Any(s => s.Trained.Count > 0))
            Throw.Usage("a head that was trained with its backbone has seen all training photos: compare it on the split, not on folds");
        // 2. Rows of all sets in one order.
        var views = FeatureView.Align(sources);
        foreach (var spec in specs)
            spec.CheckClasses(views[0].Data.Classes);
        if (options.ChooseBy == ChooseBy.Validation && views[0].PhotosOf(ComparisonOptions.Validation).Length == 0)
            Throw.BadInput("split validation has no photos to choose values by; choose by inner folds");
        // 3. Near-duplicates come before the folds, which must not part them.
        if (options.CheckData || options.GroupNearDuplicates)
            options.Progress("near-duplicates");
        var duplicates =
            options.CheckData || options.GroupNearDuplicates
                ? NearDuplicates.Find(views[0], options.NearDuplicateCosine, options.Threads, options.Cancellation)
                : [];
        var groups = options.GroupNearDuplicates ? NearDuplicates.Groups(views[0].PhotoCount, duplicates) : null;
        // 4. The protocol.
        var protocol = Protocol.Create(options, views[0], groups);
        foreach (var warning in Protocol.FewMembers(options, views[0], protocol.FinalTrain))
            warn(warning);
        var scored = protocol.Parts[0].Test.Select(p => views[0].Y[p]).ToHashSet();
        string[] absent = protocol.IsFolds ? [] : [.. views[0].Data.Classes.Where((_, k) => !scored.Contains(k))];
        if (absent.Length > 0)
            warn(
                $"split {options.ScoreSplit} has no photo of {absent.Length} of {views[0].ClassCount} classes "
                    + $"({FewNames.Of(absent)}): the figures do not cover them"
            );
        if (options.WatchReportedSplit && options.Folds == 0 && options.ScoreSplit == ComparisonOptions.Validation)
            warn("heads that keep their best epoch watched the reported split: their figures are optimistic");
        return new(sources, [.. PairsOf(sources, specs)], views, protocol, duplicates, groups);
    }

    /// <summary>Classes and photos; the first set stands for all, since photos, labels and splits are the same.</summary>
    public DataSummary Summary()
    {
        var view = Views[0];
        var counts = new SortedDictionary<string, int[]>(StringComparer.Ordinal);
        for (var p = 0; p < view.PhotoCount; p++)
        {
            if (!counts.TryGetValue(view.Photo(p).Split, out var row))
                counts[view.Photo(p).Split] = row = new int[view.ClassCount];
            row[view.Y[p]]++;
        }

        return new(view.Data.Classes, counts) { PhotosSha256 = view.Data.PhotosSha256() };
    }

    private static HeadSpec[] Available(IReadOnlyList<HeadSpec> heads, Action<string> warn)
    {
        foreach (var head in heads.Where(h => h.Trainer.Unavailable is not null))
        {
            if (!head.Optional)
                Throw.Usage($"{head.Trainer.Name} is unavailable: {head.Trainer.Unavailable}");
            warn($"{head.Trainer.Name} is left out: {head.Trainer.Unavailable}");
        }

        var available = heads.Where(h => h.Trainer.Unavailable is null).ToArray();
        if (available.Length == 0)
            Throw.Usage("no head to compare");
        return available;
    }

    private static IEnumerable<ComparedPair> PairsOf(IReadOnlyList<FeatureSource> sources, HeadSpec[] specs)
    {
        var names = HeadSpec.ShortNames(specs);
        for (var set = 0; set < sources.Count; set++)
        {
            var on = sources.Count == 1 ? "" : $"on {SetName(sources, set)}";
            for (var i = 0; i < specs.Length; i++)
                yield return new(set, specs[i], names[i], on);
            foreach (var spec in sources[set].Trained)
                yield return new(set, spec, spec.Trainer.Name, on);
        }
    }

    /// <summary>The shortest of model, model and cut, folder that differs between all feature sets.</summary>
    private static string SetName(IReadOnlyList<FeatureSource> sources, int set)
    {
        Func<FeatureSetSummary, string>[] names = [static s => s.Model, static s => $"{s.Model}/{s.Cut}", static s => s.Folder];
        // A folder that is listed twice has no name of its own; its place in the list distinguishes it.
        var name =
            names.FirstOrDefault(n => sources.Select(s => n(s.Summary)).Distinct().Count() == sources.Count)
            ?? (s => $"{s.Folder} ({set + 1})");
        return name(sources[set].Summary);
    }
}
