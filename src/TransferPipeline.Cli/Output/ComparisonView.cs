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
            (comparison.Heads.Count == 1 ? "" : CurrentSolution(head)) + (head.Converged ? "" : " not converged"),
        ];
    }

    // The best head is compared with the others, and so has no p value of its own.
    private static string CurrentSolution(HeadResult head) =>
        double.IsNaN(head.PValue) ? "best"
        : head.TiedWithBest ? "tied with it"
        : head.PValue < 0.001 ? "worse, p < 0.001"
        : $"worse, p = {Figures.PValue(head.PValue)}";
}
