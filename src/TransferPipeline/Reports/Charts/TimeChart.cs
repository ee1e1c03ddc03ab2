using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>Accuracy with its interval against the time of a fit.</summary>
internal static class TimeChart
{
    // A time of 0 has no logarithm.
    private const double LeastSeconds = 1e-6;

    /// <summary>Whether there is a point to draw.</summary>
    public static bool HasPoint(HeadResult head) => double.IsFinite(head.FitSeconds) && double.IsFinite(head.Accuracy.Value);

    /// <param name="heads">Those that have a point.</param>
    /// <param name="nameOf">The label beside it.</param>
    public static Html Render(IReadOnlyList<HeadResult> heads, Func<HeadResult, string> nameOf, double width, double height, string style)
    {
        var chart = new Chart(
            width,
            height,
            "Accuracy against fit time",
            "Each point is a head; the bar is its 95 % interval. Best is towards the upper left. The table of heads has the same figures."
        );
        var x = Axis.Logarithmic(heads.Select(h => Math.Max(h.FitSeconds, LeastSeconds)), chart.Left, chart.Right);
        var y = Axis.Linear(
            heads.SelectMany(h => new[] { h.Accuracy.Low, h.Accuracy.High, h.Accuracy.Value }),
            chart.Bottom,
            Chart.Top,
            floor: 0,
            ceiling: 1
        );
        chart.Axes(x, y, "fit time (logarithmic)", "accuracy", Figures.Seconds, Figures.Value);

        var placer = new LabelPlacer(chart.Left, Chart.Top, chart.Right, chart.Bottom, withLines: width > 500);
        // All points before the first label, which may cover none of them.
        foreach (var head in heads)
        {
            var (cx, cy) = At(head);
            placer.Avoid(cx, cy, 6);
            if (double.IsFinite(head.Accuracy.Low) && double.IsFinite(head.Accuracy.High))
                chart.Draw(
                    $"<line class=\"whisker\" x1=\"{cx}\" x2=\"{cx}\" y1=\"{y.At(head.Accuracy.Low)}\" y2=\"{y.At(head.Accuracy.High)}\"/>"
                );
        }

        foreach (var head in heads)
        {
            var (cx, cy) = At(head);
            var shape = head.TiedWithBest ? "point tied" : "point";
            var label = Figures.Short(nameOf(head), 26);
            var place = placer.Place(cx, cy, 9, label);
            if (place?.LineEnd is { } end)
                chart.Draw($"<line class=\"leader\" x1=\"{cx}\" y1=\"{cy}\" x2=\"{end.X}\" y2=\"{end.Y}\"/>");
            chart.Draw(
                $"<circle class=\"{shape}\" cx=\"{cx}\" cy=\"{cy}\" r=\"5.5\"><title>{head.ChosenTitle}: "
                    + $"{Figures.Rate(head.Accuracy.Value)} in {Figures.Seconds(head.FitSeconds)}</title></circle>"
            );
            // Where no place is left the name is in the mark's title alone.
            if (place is { } at)
                chart.Draw($"<text class=\"label halo\" x=\"{at.X}\" y=\"{at.Y}\">{label}</text>");
        }

        return chart.Render(style);

        (double X, double Y) At(HeadResult head) => (x.At(Math.Max(head.FitSeconds, LeastSeconds)), y.At(head.Accuracy.Value));
    }
}
