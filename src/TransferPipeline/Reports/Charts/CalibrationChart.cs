using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>Reliability diagram: how often a head is right against how sure it was, with the number of photos beneath.</summary>
internal static class CalibrationChart
{
    private const double HistogramHeight = 34;

    public static Html Render(HeadResult head)
    {
        var scaled = head.CalibrationScaled.Count > 0;
        var chart = new Chart(
            380,
            348,
            $"Calibration of {head.ChosenTitle}",
            "A perfectly calibrated head lies on the diagonal; below it the head is surer than it is right. The figures are in the "
                + "table below."
        );
        var x = Axis.Linear([0, 1], chart.Left, chart.Right, margin: 0);
        var y = Axis.Linear([0, 1], chart.Bottom - HistogramHeight - 4, Chart.Top, margin: 0);
        chart.Axes(x, y, "confidence (bars: number of photos)", "accuracy", Figures.Value, Figures.Value);
        chart.Draw($"<line class=\"ideal\" x1=\"{x.At(0)}\" y1=\"{y.At(0)}\" x2=\"{x.At(1)}\" y2=\"{y.At(1)}\"/>");
        Histogram(chart, head.Calibration, x);
        Curve(chart, head.Calibration, 0, x, y, "");
        if (scaled)
            Curve(chart, head.CalibrationScaled, 1, x, y, " after scaling");
        return chart.Render();
    }

    private static void Histogram(Chart chart, IReadOnlyList<CalibrationBin> bins, Axis x)
    {
        var most = Math.Max(1, bins.Max(b => b.Count));
        foreach (var bin in bins.Where(b => b.Count > 0))
        {
            // A bin of one photo beside a bin of thousands still has to be seen.
            var height = Math.Max(1, HistogramHeight * bin.Count / most);
            chart.Draw(
                $"<rect class=\"histogram\" x=\"{x.At(bin.Low) + 1}\" y=\"{chart.Bottom - height}\" "
                    + $"width=\"{Math.Max(1, x.At(bin.High) - x.At(bin.Low) - 2)}\" height=\"{height}\"><title>{bin.Count} "
                    + $"photos</title></rect>"
            );
        }
    }

    private static void Curve(Chart chart, IReadOnlyList<CalibrationBin> bins, int colour, Axis x, Axis y, string when)
    {
        var filled = bins.Where(b => b.Count > 0).ToArray();
        chart.Line(
            $"line {Palette.Of(colour)} {(colour == 0 ? "" : "dash-long")}",
            filled.Select(b => (x.At(b.Confidence), y.At(b.Accuracy)))
        );
        foreach (var bin in filled)
        {
            var (confidence, right) = (Figures.Rate(bin.Confidence), Figures.Rate(bin.Accuracy));
            var title = Html.Of(t => t.Add($"<title>{bin.Count} photos{when}: confidence {confidence}, right {right}</title>"));
            chart.Draw($"{Palette.Mark(colour, x.At(bin.Confidence), y.At(bin.Accuracy), 4, title)}");
        }
    }
}
