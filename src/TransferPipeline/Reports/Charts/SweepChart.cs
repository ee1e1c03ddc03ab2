using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>
/// Score over the values of one option, one standard error, the chosen value: a line with a band over numbers, points with bars over names.
/// </summary>
internal static class SweepChart
{
    public static Html Render(SweepCurve sweep)
    {
        var chart = new Chart(
            420,
            250,
            $"Sweep of {sweep.Parameter} for {sweep.Head}",
            $"{sweep.Values.Length} values; chosen: {Figures.Value(sweep.Chosen)}. The figures are in the table below."
        );
        var named = sweep.Chosen.Name is not null;
        double[] places = named
            ? [.. Enumerable.Range(0, sweep.Values.Length).Select(i => (double)i)]
            : Array.ConvertAll(sweep.Values, v => v.Number);
        var order = Enumerable.Range(0, places.Length).OrderBy(i => places[i]).ToArray();
        var chosen = places[Array.IndexOf(sweep.Values, sweep.Chosen)];
        var error = Array.ConvertAll(
            order,
            i => i < sweep.StandardErrors.Length && double.IsFinite(sweep.StandardErrors[i]) ? sweep.StandardErrors[i] : 0
        );
        var (values, scores) = (Array.ConvertAll(order, i => places[i]), Array.ConvertAll(order, i => sweep.Scores[i]));
        var x = named ? Axis.Places(places.Length, chart.Left, chart.Right) : Axis.Fitting(values, chart.Left, chart.Right);
        if (Array.TrueForAll(values, double.IsInteger))
            x = x.WithWholeTicks();
        var y = Axis.Linear(
            scores.Zip(error, (s, e) => s - e).Concat(scores.Zip(error, (s, e) => s + e)),
            chart.Bottom,
            Chart.Top + 12,
            floor: 0,
            ceiling: 1
        );
        // Names have the width between two ticks; longer ones would run into each other.
        var room = (int)((chart.Right - chart.Left) / Math.Max(1, x.Ticks.Count) / Chart.TextWidth("m"));
        chart.Axes(
            x,
            y,
            sweep.Parameter,
            "accuracy",
            named ? v => Figures.Short(sweep.Values[(int)v].Text, Math.Max(2, room)) : Figures.Value,
            Figures.Value
        );

        var points = values.Zip(scores, (v, s) => (x.At(v), y.At(s))).ToArray();
        if (named)
        {
            // No line from name to name: it would suggest an order that names do not have.
            Bars(chart, points, [.. scores.Zip(error, (s, e) => y.At(s + e))], [.. scores.Zip(error, (s, e) => y.At(s - e))]);
        }
        else
        {
            chart.Area(
                "band c0",
                [
                    .. values.Select((v, i) => (x.At(v), y.At(scores[i] + error[i]))),
                    .. values.Select((v, i) => (x.At(v), y.At(scores[i] - error[i]))).Reverse(),
                ]
            );
            chart.Draw($"<line class=\"chosen\" x1=\"{x.At(chosen)}\" x2=\"{x.At(chosen)}\" y1=\"{Chart.Top}\" y2=\"{chart.Bottom}\"/>");
            chart.Line("line c0", points);
        }

        for (var i = 0; i < points.Length; i++)
        {
            if (!double.IsFinite(scores[i]))
                continue;
            var isChosen = values[i] == chosen;
            chart.Draw(
                $"<circle class=\"{(isChosen ? "point tied" : "dot c0")}\" cx=\"{points[i].Item1}\" cy=\"{points[i].Item2}\" "
                    + $"r=\"{(isChosen ? 5.5 : 3)}\"><title>{sweep.Parameter} = {Figures.Value(sweep.Values[order[i]])}: "
                    + $"{Figures.Rate(scores[i])}</title></circle>"
            );
        }

        var label = $"{sweep.Parameter} = {Figures.Value(sweep.Chosen)}";
        var at = x.At(chosen);
        var toLeft = at + 8 + Chart.TextWidth(label) > chart.Right;
        chart.Draw(
            $"<text class=\"label halo\" x=\"{(toLeft ? at - 8 : at + 8)}\" y=\"{Chart.Top + 8}\" "
                + $"text-anchor=\"{(toLeft ? "end" : "start")}\">{label}</text>"
        );
        return chart.Render();
    }

    private static void Bars(Chart chart, (double X, double Y)[] points, double[] tops, double[] bottoms)
    {
        for (var i = 0; i < points.Length; i++)
        {
            if (double.IsFinite(points[i].Y))
                chart.Draw($"<line class=\"line c0\" x1=\"{points[i].X}\" x2=\"{points[i].X}\" y1=\"{tops[i]}\" y2=\"{bottoms[i]}\"/>");
        }
    }
}
