using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>Accuracy over the number of training photos per class, with bands; names at the ends of their lines.</summary>
internal static class FewShotChart
{
    public static Html Render(
        IReadOnlyList<FewShotCurve> curves,
        Func<FewShotCurve, string> nameOf,
        double width,
        double height,
        string style
    )
    {
        var isWide = width > 500;
        var chart = new Chart(
            width,
            height,
            "Accuracy over training photos per class",
            "One line per head, the band is its 95 % interval over the draws. The figures are in the table below.",
            right: isWide ? 170 : 16
        );
        var counts = curves.SelectMany(c => c.PerClass).Distinct().Order().Select(n => (double)n).ToArray();
        var x = Axis.Fitting(counts, chart.Left, chart.Right).WithTicksAt(counts);
        var y = Axis.Linear(
            curves.SelectMany(c => c.Accuracy).SelectMany(a => new[] { a.Low, a.Value, a.High }),
            chart.Bottom,
            Chart.Top,
            floor: 0,
            ceiling: 1
        );
        chart.Axes(x, y, "training photos per class", "accuracy", Figures.Value, Figures.Value);

        // All bands before all lines, or the band of a later curve would cover the lines of earlier ones.
        for (var c = 0; c < curves.Count; c++)
        {
            var (curve, colour) = (curves[c], Palette.Of(c));
            // Many bands over each other are one dark area, so they are fainter when there are many.
            chart.Area(
                $"band {(curves.Count > 4 ? "faint " : "")}{colour}",
                [
                    .. curve.PerClass.Select((n, i) => (x.At(n), y.At(curve.Accuracy[i].High))),
                    .. curve.PerClass.Select((n, i) => (x.At(n), y.At(curve.Accuracy[i].Low))).Reverse(),
                ]
            );
        }

        for (var c = 0; c < curves.Count; c++)
        {
            var (curve, colour) = (curves[c], Palette.Of(c));
            var points = curve.PerClass.Select((n, i) => (X: x.At(n), Y: y.At(curve.Accuracy[i].Value))).ToArray();
            chart.Line($"line {colour} {Palette.Dash(c)}", points);
            for (var i = 0; i < points.Length; i++)
            {
                // Few photos can be too few for a head: its curve then lacks that point.
                if (!double.IsFinite(points[i].Y))
                    continue;
                var (perClass, rate) = (curve.PerClass[i], Figures.Rate(curve.Accuracy[i].Value));
                var title = Html.Of(t => t.Add($"<title>{curve.Head}, {perClass} per class: {rate}</title>"));
                chart.Draw($"{Palette.Mark(c, points[i].X, points[i].Y, 4, title)}");
            }
        }

        if (isWide)
            Names(chart, curves, nameOf, y);
        return chart.Render(style);
    }

    /// <summary>Names beside the last points, moved apart where lines end close together.</summary>
    private static void Names(Chart chart, IReadOnlyList<FewShotCurve> curves, Func<FewShotCurve, string> nameOf, Axis y)
    {
        const double Apart = 16;
        var ends = curves
            .Select((c, i) => (Index: i, Y: y.At(c.Accuracy.LastOrDefault(a => double.IsFinite(a.Value)).Value)))
            .OrderBy(e => e.Y)
            .ToArray();
        // Downwards first; names that have left the chart by that are then moved up again.
        for (var i = 1; i < ends.Length; i++)
            ends[i].Y = Math.Max(ends[i].Y, ends[i - 1].Y + Apart);
        var over = ends.Length == 0 ? 0 : ends[^1].Y - chart.Bottom;
        for (var i = ends.Length - 1; i >= 0 && over > 0; i--)
            ends[i].Y = Math.Min(ends[i].Y, i == ends.Length - 1 ? chart.Bottom : ends[i + 1].Y - Apart);
        foreach (var (index, at) in ends)
            chart.Draw(
                $"{Palette.Mark(index, chart.Right + 12, at, 4)}<text class=\"label\" x=\"{chart.Right + 22}\" "
                    + $"y=\"{at + 4}\">{Figures.Short(nameOf(curves[index]), 22)}</text>"
            );
    }
}
