using System.Globalization;

namespace TransferPipeline.Evaluation;

/// <summary>Turns what a head predicted into the figures of a <see cref="HeadResult"/>.</summary>
internal static class HeadResults
{
    private const int MostMistakes = 24;
    private const int LeastClassesForTop5 = 6;

    public static HeadResult Build(EvaluatedHead evaluated, Protocol protocol, ComparisonOptions options, Action<string> warn)
    {
        var all = evaluated.All;
        var confusion = Metrics.Confusion(all.ClassCount, all.Truth, all.Predicted);
        var (balanced, f1) = Intervals.Bootstrap(all, options.BootstrapDraws, options.Seed, options.Threads);
        var bins = Metrics.Calibration(all);
        var fit = evaluated.Head.Fit;
        var result = new HeadResult()
        {
            Name = evaluated.Head.Name,
            Title = evaluated.Title,
            ShortName = evaluated.ShortName,
            NameOnOneSet = evaluated.NameOnOneSet,
            ChosenTitle = HeadSpec.Join(evaluated.Head.Name, evaluated.ChosenSettings),
            ChosenSettings = evaluated.ChosenSettings,
            FeatureSet = evaluated.FeatureSet,
            Parameters = evaluated.Head.Options.Values,
            Accuracy = Accuracy(evaluated, protocol),
            BalancedAccuracy = balanced,
            MacroF1 = f1,
            // With five classes or fewer the five most probable ones always contain the true one.
            Top5 = all.ClassCount >= LeastClassesForTop5 ? Metrics.TopK(all, 5) : double.NaN,
            LogLoss = Metrics.LogLoss(all),
            CalibrationError = Metrics.CalibrationError(bins),
            Calibration = bins,
            SweepSeconds = evaluated.SweepSeconds,
            FitSeconds = evaluated.FitSeconds,
            PredictSeconds = evaluated.PredictSeconds,
            ParameterCount = evaluated.Head.ParameterCount,
            Objective = fit.Objective,
            RelativeGap = fit.RelativeGap,
            Iterations = fit.Iterations,
            Converged = fit.Converged,
            History = fit.History,
            Confusion = confusion,
            PerClass = Metrics.PerClass(confusion, evaluated.Fitter.View.Data.Classes),
            Mistakes = Mistakes(evaluated, all),
            FoldAccuracies = protocol.IsFolds ? evaluated.FoldAccuracies : [],
        };
        if (!options.Calibrate)
            return result;
        try
        {
            return Calibrate(result, evaluated, protocol, options, warn);
        }
        catch (TransferException e) when (HeadFitter.IsOfHead(e))
        {
            // The other figures are valid without a temperature, so the head is not left out.
            warn($"{evaluated.ShortName}: not calibrated: {e.Message}");
            return result;
        }
    }

    public static ConfidenceInterval Accuracy(EvaluatedHead evaluated, Protocol protocol) =>
        protocol.IsFolds
            ? Intervals.Folds(evaluated.FoldAccuracies, protocol.TestToTrain, protocol.Evaluated.Length)
            : Intervals.Wilson(evaluated.All.CorrectCount, evaluated.All.Count);

    /// <summary>
    /// Adds the figures after temperature scaling. On a split the temperature comes from out-of-fold predictions of the training part, by
    /// heads that are trained as the evaluated one is; with
    /// folds a part's comes from the predictions of the other parts, so never from a photo that it is used on, and the one that is
    /// reported from all.
    /// </summary>
    private static HeadResult Calibrate(
        HeadResult result,
        EvaluatedHead evaluated,
        Protocol protocol,
        ComparisonOptions options,
        Action<string> warn
    )
    {
        TemperatureScaling scaling;
        Predictions scaled;
        if (protocol.IsFolds)
        {
            scaling = TemperatureScaling.Fit(evaluated.All);
            scaled = Predictions.Concat([
                .. evaluated.Parts.Select(part =>
                {
                    // By photo, not by position:
                    // with repeats a photo of this part was also evaluated in parts of other repeats.
                    var own = part.Photos.ToHashSet();
                    var others = Enumerable.Range(0, evaluated.All.Count).Where(i => !own.Contains(evaluated.All.Photos[i])).ToArray();
                    return TemperatureScaling.Fit(evaluated.All.Select(others)).Apply(part);
                }),
            ]);
        }
        else
        {
            scaling = TemperatureScaling.Fit(
                evaluated.Fitter.OutOfFold(protocol.FinalTrain, protocol.Watched, evaluated.Head.Options, options.Threads)
            );
            scaled = scaling.Apply(evaluated.All);
        }

        if (scaling.EndOfRange is { } reason)
            warn(
                $"{evaluated.ShortName}: its temperature ran to "
                    + $"{Math.Round(scaling.Temperature, 3).ToString(CultureInfo.InvariantCulture)}, an end of the range: {reason}"
            );
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

    /// <summary>
    /// The most confident wrong predictions; a photo that was evaluated in several repeats counts once, where it was worst.
    /// </summary>
    private static Mistake[] Mistakes(EvaluatedHead evaluated, Predictions all)
    {
        var view = evaluated.Fitter.View;
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
