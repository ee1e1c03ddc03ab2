using System.Globalization;

namespace TransferPipeline.Evaluation;

/// <summary>Which photos train and which evaluate: the same parts for every head and feature set.</summary>
/// <param name="Words">For the report: <c>10-fold stratified</c> and its parameters.</param>
/// <param name="Parts">Pairs of training and evaluated photos; one on a fixed split.</param>
/// <param name="FinalTrain">Photos that the head that is kept is trained on.</param>
/// <param name="Watched">Photos on which heads that keep their best epoch may watch their progress.</param>
/// <param name="Kept">The splits of those photos.</param>
internal sealed record Protocol(string Words, IReadOnlyList<Part> Parts, int[] FinalTrain, int[] Watched, TrainingSplits Kept, bool IsFolds)
{
    /// <summary>All evaluated photos, each once.</summary>
    public int[] Evaluated { get; } = [.. Parts.SelectMany(p => p.Test).Distinct().Order()];

    /// <summary>Photos of an evaluated part over photos of a training part, over all parts.</summary>
    public double TestToTrain => (double)Parts.Sum(p => p.Test.Length) / Parts.Sum(p => p.Train.Length);

    public static Protocol Create(ComparisonOptions options, FeatureView view, int[]? groups) =>
        options.Folds == 0 ? FixedSplit(options, view) : KFold(options, view, groups);

    private static Protocol FixedSplit(ComparisonOptions options, FeatureView view)
    {
        var train = Require(view, ComparisonOptions.Train);
        var scored = Require(view, options.ScoreSplit);
        RequireEveryClass(view, train, "split train");
        RequireRoom(scored.Length, view.ClassCount);
        // Early stopping may watch validation only where test is reported; otherwise it would choose by the figures that it reports.
        var watched =
            options.ScoreSplit == ComparisonOptions.Validation && !options.WatchReportedSplit ? null : ComparisonOptions.Validation;
        return new(
            FormattableString.Invariant(
                $"split: trained on {train.Length} photos of train, scored on {scored.Length} photos of {options.ScoreSplit}"
            ),
            [new(train, scored)],
            train,
            watched is null ? [] : view.PhotosOf(watched),
            new([ComparisonOptions.Train], watched),
            IsFolds: false
        );
    }

    private static Protocol KFold(ComparisonOptions options, FeatureView view, int[]? groups)
    {
        var splits =
            options.FoldSplits.Count > 0
                ? options.FoldSplits
                // Folds leave the test split alone, so that it can still be reported once at the end.
                // A set of test photos only is folded all the same.
                : [.. SplitsOf(view).Where(s => s != ComparisonOptions.Test).DefaultIfEmpty(ComparisonOptions.Test)];
        var photos = splits.SelectMany(s => Require(view, s)).Distinct().Order().ToArray();
        var y = Array.ConvertAll(photos, p => view.Y[p]);
        var counts = new int[view.ClassCount];
        foreach (var k in y)
            counts[k]++;
        RequireFoldable(options.Folds, view.Data.Classes, counts);
        RequireRoom((long)photos.Length * options.Repeats, view.ClassCount);
        var parts = new List<Part>();
        for (var repeat = 0; repeat < options.Repeats; repeat++)
        {
            // Far apart, so that repeats of neighbouring seeds do not share folds.
            var seed = unchecked(options.Seed + (repeat * 0x10001));
            var foldOf = groups is null
                ? Folds.Stratified(y, options.Folds, seed)
                : Folds.StratifiedByGroup(y, Array.ConvertAll(photos, p => groups[p]), options.Folds, seed);
            parts.AddRange(Folds.Parts(photos, foldOf, options.Folds));
        }

        foreach (var (part, i) in parts.Select((part, i) => (part, i)))
        {
            // Groups can be so large that a fold gets none; its accuracy would be 0 / 0.
            if (part.Test.Length == 0)
                Throw.BadInput(
                    $"fold {(i % options.Folds) + 1} of {options.Folds} is empty: near-duplicates that must stay together leave too "
                        + $"few groups; use fewer folds"
                );
            RequireEveryClass(view, part.Train, $"what fold {(i % options.Folds) + 1} of {options.Folds} leaves for training");
        }

        var kind = options.Repeats > 1 ? $"repeated k-fold: {options.Repeats} x {options.Folds}" : $"k-fold: {options.Folds}";
        return new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{kind} stratified folds of {photos.Length} photos of "
                    + $"{string.Join(", ", splits)}{(groups is null ? "" : ", near-duplicates kept together")}, seed {options.Seed}"
            ),
            parts,
            photos,
            [],
            new(splits, null),
            IsFolds: true
        );
    }

    /// <summary>Refuses more predictions than a head's probabilities have room for, which would show when all heads are trained.</summary>
    private static void RequireRoom(long predictions, int classes)
    {
        if (predictions * classes > Array.MaxLength)
            Throw.Usage(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{predictions:N0} predictions of {classes:N0} classes are {predictions * classes:N0} probabilities, at most "
                        + $"{Array.MaxLength:N0} can be held: report a split of fewer photos, or use fewer repeats"
                )
            );
    }

    /// <summary>Refuses folds for which classes are too small.</summary>
    /// <param name="counts">Photos of each class.</param>
    public static void RequireFoldable(int folds, IReadOnlyList<string> classes, int[] counts)
    {
        // Classes smaller than the number of folds are allowed with a warning; more folds than the largest class has photos are not.
        var (least, most) = (Array.IndexOf(counts, counts.Min()), counts.Max());
        if (counts[least] < 2)
            Throw.BadInput(
                $"class '{classes[least]}' has {(counts[least] == 1 ? "one photo" : "no photo")}: folds need at least two "
                    + $"of each class, one to train on and one to evaluate"
            );
        if (folds > most)
            Throw.Usage(
                $"{folds} folds are more than any class has members (most: {most}, "
                    + $"'{classes[Array.IndexOf(counts, most)]}'); use at most {counts[least]} folds"
            );
    }

    /// <summary>Classes with fewer members than folds: they are evaluated in some folds only.</summary>
    public static IEnumerable<string> FewMembers(ComparisonOptions options, FeatureView view, int[] photos) =>
        options.Folds == 0
            ? []
            : photos
                .CountBy(p => view.Y[p])
                .Where(c => c.Value < options.Folds)
                .OrderBy(c => c.Key)
                .Select(c =>
                    $"class '{view.Data.Classes[c.Key]}' has {c.Value} photos, fewer than the {options.Folds} folds: some folds evaluate "
                    + $"none of it"
                );

    private static string[] SplitsOf(FeatureView view) =>
        [
            .. Enumerable
                .Range(0, view.PhotoCount)
                .Select(p => view.Photo(p).Split)
                .Distinct()
                .OrderBy(Order)
                .ThenBy(s => s, StringComparer.Ordinal),
        ];

    private static int Order(string split) =>
        split switch
        {
            ComparisonOptions.Train => 0,
            ComparisonOptions.Validation => 1,
            ComparisonOptions.Test => 2,
            _ => 3,
        };

    private static int[] Require(FeatureView view, string split)
    {
        var photos = view.PhotosOf(split);
        if (photos.Length == 0)
        {
            var splits = SplitsOf(view);
            Throw.BadInput(
                $"split {split} has no photos (the feature set has "
                    + $"{string.Join(", ", splits.Select(s => $"{s}: {view.PhotosOf(s).Length}"))})"
                    + $"{(NearestName.Hint(split, splits) is { Length: > 0 } hint ? hint : "; name another split or use folds")}"
            );
        }

        return photos;
    }

    public static void RequireEveryClass(FeatureView view, int[] train, string where)
    {
        var present = train.Select(p => view.Y[p]).ToHashSet();
        for (var k = 0; k < view.ClassCount; k++)
        {
            if (!present.Contains(k))
                Throw.BadInput($"class '{view.Data.Classes[k]}' has no photo in {where}: a head cannot learn it");
        }
    }
}
