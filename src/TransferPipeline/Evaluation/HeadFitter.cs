using System.Diagnostics;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>Chooses, trains and times one head on one feature set.</summary>
/// <param name="all">All photos that parts are taken from to train on: what depends on them all is computed once.</param>
internal sealed class HeadFitter(
    ComparisonOptions options,
    HeadSpec spec,
    FeatureView view,
    int[]? groups,
    int[] all,
    ComparisonScope shared
)
{
    private readonly int[] _allRows = view.Training(all, []).Rows;

    // A first run includes the compiler's work, so what takes less is measured again and the least time counts.
    private const double RepeatBelowSeconds = 0.1;
    private const int MostRuns = 3;

    public HeadSpec Spec => spec;

    public FeatureView View => view;

    /// <summary>Whether an error is a head's own: it cannot be trained on these rows or with these settings.</summary>
    public static bool IsOfHead(TransferException e) => e is BadInputException or UsageException or JobFailedException { IsOfHead: true };

    public HeadFitter With(ComparisonScope work) => new(options, spec, view, groups, all, work);

    /// <summary>Chooses the values of the sweeps for a training part.</summary>
    public Choice Choose(int[] train, int threads)
    {
        if (spec.Sweeps.Count == 0)
            return new(spec.Options, [], []);
        if (options.ChooseBy == ChooseBy.Validation)
            return new SweepSearch(
                spec,
                view,
                [new(train, view.PhotosOf(ComparisonOptions.Validation))],
                "split validation",
                _allRows,
                Context(threads)
            ).Run();
        var parts = InnerParts(train, cure: "; set the values instead of sweeping");
        return new SweepSearch(spec, view, parts, $"{parts.Length} folds of the training part", _allRows, Context(threads)).Run();
    }

    /// <summary>
    /// Stratified folds of a training part, the same for every head; photos that are alone in their class are always trained on.
    /// </summary>
    /// <param name="cure">What can be done where there are none, for the end of the message.</param>
    public Part[] InnerParts(int[] train, string cure = "")
    {
        var counts = train.CountBy(p => view.Y[p]).ToDictionary(c => c.Key, c => c.Value);
        var evaluated = train.Where(p => counts[view.Y[p]] > 1).ToArray();
        // As StratifiedKFold does, at most as many folds as the largest class has members.
        var folds = Math.Min(options.InnerFolds, counts.Values.Where(c => c > 1).DefaultIfEmpty(0).Max());
        if (folds < 2)
            Throw.BadInput("no class has two photos to train on: nothing can be evaluated inside the training part" + cure);
        var y = Array.ConvertAll(evaluated, p => view.Y[p]);
        // Another seed than that of the outer folds, whose draws the inner folds would repeat.
        var seed = unchecked(options.Seed + 0x5EED);
        var foldOf = groups is null
            ? Folds.Stratified(y, folds, seed)
            : Folds.StratifiedByGroup(y, Array.ConvertAll(evaluated, p => groups[p]), folds, seed);
        // A head must know every class: the only photo of a class is trained on in each part.
        var alone = train.Except(evaluated).ToArray();
        // Near-duplicates that stay together can take a whole class out of a training part; such a part is left out.
        Part[] parts =
        [
            .. Folds
                .Parts(evaluated, foldOf, folds)
                .Select(p => p with { Train = [.. p.Train.Concat(alone).Order()] })
                .Where(p => p.Test.Length > 0 && p.Train.Select(t => view.Y[t]).Distinct().Count() == counts.Count),
        ];
        if (parts.Length == 0)
            Throw.BadInput("near-duplicates that must stay together leave no folds inside the training part" + cure);
        return parts;
    }

    public IHead Train(int[] train, HeadOptions settings, int threads) => Train(train, [], settings, threads);

    /// <summary>
    /// Predictions of each photo by a head that was not trained on it; photos that are alone in their class are left out.
    /// </summary>
    /// <param name="watched">Photos on which heads that keep their best epoch watch their progress, none of
    /// <paramref name="photos"/>.</param>
    public Predictions OutOfFold(int[] photos, int[] watched, HeadOptions settings, int threads)
    {
        var parts = InnerParts(photos);
        var evaluated = new Predictions[parts.Length];
        TaskQueue.Run(
            parts.Length,
            threads,
            (p, inner) => evaluated[p] = view.Evaluate(Train(parts[p].Train, watched, settings, inner), parts[p].Test, inner),
            options.Cancellation
        );
        return Predictions.Concat(evaluated);
    }

    private IHead Train(int[] train, int[] watched, HeadOptions settings, int threads) =>
        spec.Trainer.Train(view.Training(train, watched) with { AllRows = _allRows }, settings, Context(threads));

    /// <summary>Trains alone, with all threads and without shared work, so that the time is honest.</summary>
    public (IHead Head, double Seconds) TrainTimed(int[] train, int[] watched, HeadOptions settings, Action<string> warn)
    {
        // Without AllRows: products that an earlier head left behind would make this one look faster than it is.
        var rows = view.Training(train, watched);
        // A fit that is repeated for its time would repeat its warnings too.
        return Timed(run =>
            spec.Trainer.Train(rows, settings, Context(options.Threads) with { Scope = new(), Warn = run == 0 ? warn : static _ => { } })
        );
    }

    public (Predictions Predictions, double Seconds) EvaluateTimed(IHead head, int[] photos) =>
        Timed(_ => view.Evaluate(head, photos, options.Threads));

    private static (T Result, double Seconds) Timed<T>(Func<int, T> work)
    {
        var clock = Stopwatch.StartNew();
        var result = work(0);
        var least = clock.Elapsed.TotalSeconds;
        for (var run = 1; run < MostRuns && least < RepeatBelowSeconds; run++)
        {
            clock.Restart();
            work(run);
            least = Math.Min(least, clock.Elapsed.TotalSeconds);
        }

        return (result, least);
    }

    private TrainingContext Context(int threads) =>
        new()
        {
            Threads = threads,
            Seed = options.Seed,
            Cancellation = options.Cancellation,
            Scope = shared,
        };
}
