using TransferPipeline.Evaluation;
using TransferPipeline.Reports;

namespace TransferPipeline.Cli.Output;

/// <summary>A comparison as a table.</summary>
internal static class ComparisonView
{
    public static void Write(Comparison comparison)
    {
        var several = comparison.Provenance.FeatureSets.Count > 1;
        string[] columns =
        [
            .. several ? (string[])["features", ">values", ">extracted in"] : [],
            "head",
            ">accuracy",
            ">95 % interval",
            ">macro F1",
            ">fit",
            ">predict",
            "",
        ];
        Tables.Write(columns, comparison.Heads.Select(h => Row(comparison, h, several)), comparison.Protocol);
        Console.WriteLine(comparison.Verdict);
    }

    /// <summary>What was requested besides the table: few-shot curves, calibration, checks of the data.</summary>
    public static void WriteMore(Comparison comparison)
    {
        foreach (var curve in comparison.FewShot)
        {
            var points = curve.PerClass.Select((n, i) => $"{Figures.Rate(curve.Accuracy[i].Value)} with {n}");
            // Curves name their head by its title, which is long where options were given.
            var name = comparison.Heads.First(h => h.Title == curve.Head).ShortName;
            Console.WriteLine(PlainText.Of($"few-shot {name}: {string.Join(", ", points)} per class ({curve.Draws} draws)"));
        }

        foreach (var head in comparison.Heads.Where(h => double.IsFinite(h.Temperature)))
            Console.WriteLine(
                PlainText.Of(
                    $"calibration {head.ShortName}: error {Figures.Rate(head.CalibrationError)}, "
                        + $"{Figures.Rate(head.CalibrationErrorScaled)} at temperature {Figures.Value(head.Temperature)}"
                )
            );
        if (comparison.DataCheck is { } check)
            Console.WriteLine(
                $"data: near-duplicates {check.NearDuplicateCount}, suspect labels {check.SuspectLabelCount}, outliers "
                    + $"{check.Outliers.Count}; --report FILE and --json list them"
            );
    }

    private static string[] Row(Comparison comparison, HeadResult head, bool several)
    {
        var set = comparison.Provenance.FeatureSets[head.FeatureSet];
        string[] about = several ? [$"{set.Model} {set.Cut}", $"{set.Dimension}", Figures.Seconds(set.ExtractionSeconds)] : [];
        return
        [
            .. about,
            head.ChosenTitle,
            Figures.Rate(head.Accuracy.Value),
            $"{Figures.Rate(head.Accuracy.Low)} - {Figures.Rate(head.Accuracy.High)}",
            Figures.Rate(head.MacroF1.Value),
            Figures.Seconds(head.FitSeconds),
            Figures.Seconds(head.PredictSeconds),
            (comparison.Heads.Count == 1 ? "" : AgainstBest(head)) + (head.Converged ? "" : " not converged"),
        ];
    }

    // The best head is compared with the others, and so has no p value of its own.
    private static string AgainstBest(HeadResult head) =>
        Ranking.IsBest(head) ? "best"
        : head.TiedWithBest ? "tied with it"
        : head.PValue < 0.001 ? "worse, p < 0.001"
        : $"worse, p = {Figures.PValue(head.PValue)}";
}
