using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <param name="FitSeconds">Of the fit itself, without the search for values.</param>
internal sealed record TrainedHead(IHead Head, double FitSeconds, IReadOnlyList<SweepCurve> Sweeps, IReadOnlyList<string> Warnings);

/// <summary>Trains one head, choosing swept values by inner folds; evaluates nothing.</summary>
internal static class HeadTraining
{
    /// <summary>Split train, with split validation to watch.</summary>
    public static TrainingSplits UsualSplits { get; } = new([ComparisonOptions.Train], ComparisonOptions.Validation);

    /// <exception cref="BadInputException">The set has no photo in a split, or its vectors cannot be trained on.</exception>
    public static TrainedHead Run(ComparisonOptions options, FeatureSource source, HeadSpec spec, TrainingSplits splits)
    {
        if (spec.Trainer.Unavailable is { } reason)
            throw new UsageException($"{spec.Trainer.Name} is not available: {reason}");
        // Of one set there is nothing to align, but its vectors, paths and classes are checked here too.
        var view = FeatureView.Align([source])[0];
        spec.CheckClasses(view.Data.Classes);
        if (splits.Splits.FirstOrDefault(s => view.PhotosOf(s).Length == 0) is { } empty)
            throw new BadInputException($"{source.Summary.Folder} has no photo in split {empty}");
        int[] train = [.. splits.Splits.SelectMany(view.PhotosOf).Distinct().Order()];
        Protocol.RequireEveryClass(
            view,
            train,
            splits.Splits is [var only] ? $"split {only}" : $"splits {string.Join(" and ", splits.Splits)}"
        );
        var fitter = new HeadFitter(options, spec, view, null, train, new ComparisonScope());
        var choice = fitter.Choose(train, options.Threads);
        var warnings = new List<string>(choice.Warnings.Select(w => $"{spec.Trainer.Name}: {w}"));
        var (head, seconds) = fitter.TrainTimed(
            train,
            splits.Watched is { } watched ? view.PhotosOf(watched) : [],
            choice.Options,
            warnings.Add
        );
        return new(head, seconds, choice.Curves, warnings);
    }
}
