namespace TransferPipeline.Evaluation;

/// <summary>Turns what a head predicted into the figures of a <see cref="HeadResult"/>.</summary>
internal static class HeadResults
{
    private const int MostMistakes = 24;
    private const int LeastClassesForTop5 = 6;

    public static HeadResult Build(EvaluatedHead judged, Protocol protocol, ComparisonOptions options, Action<string> warn)
    {
        var all = judged.All;
        var confusion = Metrics.Confusion(all.ClassCount, all.Truth, all.Predicted);
        var (balanced, f1) = Intervals.Bootstrap(all, options.BootstrapDraws, options.Seed, options.Threads);
        var bins = Metrics.Calibration(all);
        var fit = judged.Head.Fit;
        var result = new HeadResult()
        {
            Name = judged.Head.Name,
            Title = judged.Title,
            ShortName = judged.ShortName,
            NameOnOneSet = judged.NameOnOneSet,
            ChosenTitle = judged.ChosenTitle,
            FeatureSet = judged.FeatureSet,
            Parameters = judged.Head.Options.Values,
            Accuracy = Accuracy(judged, protocol),
            BalancedAccuracy = balanced,
            MacroF1 = f1,
            Top5 = all.ClassCount >= LeastClassesForTop5 ? Metrics.TopK(all, 5) : double.NaN,
            LogLoss = Metrics.LogLoss(all),
            CalibrationError = Metrics.CalibrationError(bins),
            Calibration = bins,
            SweepSeconds = judged.SweepSeconds,
            FitSeconds = judged.FitSeconds,
            PredictSeconds = judged.PredictSeconds,
            ParameterCount = judged.Head.ParameterCount,
            Objective = fit.Objective,
            RelativeGap = fit.RelativeGap,
            Iterations = fit.Iterations,
            Converged = fit.Converged,
            History = fit.History,
            Confusion = confusion,
            PerClass = Metrics.PerClass(confusion, judged.Fitter.View.Data.Classes),
            Mistakes = Mistakes(judged, all),
            FoldAccuracies = protocol.IsFolds ? judged.FoldAccuracies : [],
        };
        if (!options.Calibrate)
            return result;
        try
        {
            return Calibrate(result, judged, protocol, options);
        }
        catch (TransferException e) when (HeadFitter.IsOfHead(e))
        {
            warn($"{judged.ShortName}: not calibrated: {e.Message}");
            return result;
        }
    }

    public static Interval Accuracy(EvaluatedHead judged, Protocol protocol) =>
        protocol.IsFolds
            ? Intervals.Folds(judged.FoldAccuracies, protocol.TestToTrain, protocol.Evaluated.Length)
            : Intervals.Wilson(judged.All.CorrectCount, judged.All.Count);

    /// <summary>
    /// Adds the figures after temperature scaling. On a split the temperature comes from out-of-fold predictions of the training part, by
    /// heads that are trained as the judged one is; with
    /// folds a part's comes from the predictions of the other parts, so never from a photo that it is used on, and the one that is
    /// reported from all.
    /// </summary>
    private static HeadResult Calibrate(HeadResult result, EvaluatedHead judged, Protocol protocol, ComparisonOptions options)
    {
        TemperatureScaling scaling;
        Predictions scaled;
        if (protocol.IsFolds)
        {
            scaling = TemperatureScaling.Fit(judged.All);
            scaled = Predictions.Concat([
                .. judged.Parts.Select(part =>
                {
                    var own = part.Photos.ToHashSet();
                    var others = Enumerable.Range(0, judged.All.Count).Where(i => !own.Contains(judged.All.Photos[i])).ToArray();
                    return TemperatureScaling.Fit(judged.All.Select(others)).Apply(part);
                }),
            ]);
        }
        else
        {
            scaling = TemperatureScaling.Fit(
                judged.Fitter.OutOfFold(protocol.FinalTrain, protocol.Watched, judged.Head.Options, options.Threads)
            );
            scaled = scaling.Apply(judged.All);
        }

        var bins = Metrics.Calibration(scaled);
        return result with
        {
            Temperature = scaling.Temperature,
            TemperatureZero = scaling.Zero,
            CalibrationErrorScaled = Metrics.CalibrationError(bins),
            CalibrationScaled = bins,
            LogLossScaled = Metrics.LogLoss(scaled),
        };
    }

    /// <summary>The most confident wrong predictions; a photo that was judged in several repeats counts once, where it was worst.</summary>
    private static Mistake[] Mistakes(EvaluatedHead judged, Predictions all)
    {
        var view = judged.Fitter.View;
        return
        [
            .. Enumerable
                .Range(0, all.Count)
                .Where(i => all.Predicted[i] != all.Truth[i])
                .Select(i => (Photo: all.Photos[i], Predicted: all.Predicted[i], Probability: all.Row(i)[all.Predicted[i]]))
                .OrderByDescending(m => m.Probability)
                .ThenBy(m => m.Photo)
                .DistinctBy(m => m.Photo)
                .Take(MostMistakes)
                .Select(m => new Mistake(
                    view.Photo(m.Photo).Path,
                    view.Photo(m.Photo).Label,
                    view.Data.Classes[m.Predicted],
                    m.Probability
                )),
        ];
    }
}
