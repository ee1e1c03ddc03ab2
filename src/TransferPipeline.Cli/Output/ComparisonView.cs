using System.Globalization;
using TransferPipeline.Evaluation;

namespace TransferPipeline.Cli.Output;

/// <summary>A comparison as a table.</summary>
internal static class ComparisonView
{
    public static void Write(Comparison comparison)
    {
        var several = comparison.Provenance.FeatureSets.Count > 1;
        string[] columns = [.. several ? (string[])["features", ">values", ">extracted in"] : [], "head", ">accuracy", ">95 % interval", ">macro F1", ">fit", ">predict", ""];
        Tables.Write(columns, comparison.Heads.Select(h => Row(comparison, h, several)), comparison.Protocol);
        Console.WriteLine(comparison.Verdict);
    }

    private static string[] Row(Comparison comparison, HeadResult head, bool several)
    {
        var set = comparison.Provenance.FeatureSets[head.FeatureSet];
        string[] about = several ? [$"{set.Model} {set.Cut}", Text($"{set.Dimension}"), double.IsNaN(set.ExtractionSeconds) ? "" : Seconds(set.ExtractionSeconds)] : [];
        return
        [
            .. about,
            head.ChosenTitle,
            Text($"{head.Accuracy.Value:0.000}"),
            Text($"{head.Accuracy.Low:0.000} - {head.Accuracy.High:0.000}"),
            Text($"{head.MacroF1.Value:0.000}"),
            Seconds(head.FitSeconds),
            Seconds(head.PredictSeconds),
            (comparison.Heads.Count == 1 ? "" : Standing(head)) + (head.Converged ? "" : " not converged"),
        ];
    }

    private static string Standing(HeadResult head) =>
        double.IsNaN(head.PValue) ? "best" : head.TiedWithBest ? "tied with it" : head.PValue < 0.001 ? "worse, p < 0.001" : Text($"worse, p = {head.PValue:0.000}");

    private static string Seconds(double seconds) => seconds switch
    {
        < 0.0995 => Text($"{seconds * 1000:0.0} ms"),
        < 120 => Text($"{seconds:0.00} s"),
        _ => Text($"{seconds / 60:0.0} min"),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
