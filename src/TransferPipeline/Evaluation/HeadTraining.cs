using TransferPipeline.Heads;

namespace TransferPipeline.Evaluation;

/// <param name="FitSeconds">Of the fit itself, without the search for values.</param>
public sealed record TrainedHead(IHead Head, double FitSeconds, IReadOnlyList<SweepCurve> Sweeps, IReadOnlyList<string> Warnings);

/// <summary>Trains one head on split train, choosing swept values by inner folds; judges nothing.</summary>
public static class HeadTraining
{
    /// <exception cref="BadInputException">The set has no photo in split train, or its vectors cannot be trained on.</exception>
    public static TrainedHead Run(ComparisonOptions options, FeatureSource source, HeadSpec spec)
    {
        if (spec.Trainer.Unavailable is { } reason)
            throw new UsageException($"{spec.Trainer.Name} is not available: {reason}");
        var view = FeatureView.Align([source])[0];
        var train = view.PhotosOf(ComparisonOptions.Train);
        if (train.Length == 0)
            throw new BadInputException($"{source.Summary.Folder} has no photo in split train");
        var fitter = new HeadFitter(options, spec, view, null, new SharedWork());
        var choice = fitter.Choose(train, options.Threads);
        var warnings = new List<string>(choice.Warnings);
        var (head, seconds) = fitter.TrainTimed(train, view.PhotosOf(ComparisonOptions.Validation), choice.Settings, warnings.Add);
        return new(head, seconds, choice.Curves, warnings);
    }
}
