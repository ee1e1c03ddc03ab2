using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports.Charts;

/// <summary>Score over the values of one option, a band of one standard error, the chosen value.</summary>
internal static class SweepChart
{
    public static Html Render(SweepCurve sweep)
    {
        var chart = new Chart(420, 250, $"Sweep of {sweep.Parameter} for {sweep.Head}",
            $"{sweep.Values.Length} values; chosen: {Figures.Value(sweep.Chosen)}. The figures are in the table below.");
        var order = Enumerable.Range(0, sweep.Values.Length).OrderBy(i => sweep.Values[i]).ToArray();
        var error = Array.ConvertAll(order, i => i < sweep.StandardErrors.Length && double.IsFinite(sweep.StandardErrors[i]) ? sweep.StandardErrors[i] : 0);
        var (values, scores) = (Array.ConvertAll(order, i => sweep.Values[i]), Array.ConvertAll(order, i => sweep.Scores[i]));
        var x = Axis.Fitting(values, chart.Left, chart.Right);
        var y = Axis.Linear(scores.Zip(error, (s, e) => s - e).Concat(scores.Zip(error, (s, e) => s + e)), chart.Bottom, Chart.Top + 12);
        chart.Axes(x, y, sweep.Parameter, "accuracy", Figures.Value, Figures.Value);

        var points = values.Zip(scores, (v, s) => (x.At(v), y.At(s))).ToArray();
        chart.Area("band c0", [
            .. values.Select((v, i) => (x.At(v), y.At(scores[i] + error[i]))),
            .. values.Select((v, i) => (x.At(v), y.At(scores[i] - error[i]))).Reverse()]);
        chart.Draw($"<line class=\"chosen\" x1=\"{x.At(sweep.Chosen)}\" x2=\"{x.At(sweep.Chosen)}\" y1=\"{Chart.Top}\" y2=\"{chart.Bottom}\"/>");
        chart.Line("line c0", points);
        for (var i = 0; i < points.Length; i++)
        {
            if (!double.IsFinite(scores[i]))
                continue;
            var isChosen = values[i] == sweep.Chosen;
            chart.Draw($"<circle class=\"{(isChosen ? "point tied" : "dot c0")}\" cx=\"{points[i].Item1}\" cy=\"{points[i].Item2}\" r=\"{(isChosen ? 5.5 : 3)}\"><title>{sweep.Parameter} = {Figures.Value(values[i])}: {Figures.Rate(scores[i])}</title></circle>");
        }

        var label = $"{sweep.Parameter} = {Figures.Value(sweep.Chosen)}";
        var at = x.At(sweep.Chosen);
        var toLeft = at + 8 + Chart.TextWidth(label) > chart.Right;
        chart.Draw($"<text class=\"label halo\" x=\"{(toLeft ? at - 8 : at + 8)}\" y=\"{Chart.Top + 8}\" text-anchor=\"{(toLeft ? "end" : "start")}\">{label}</text>");
        return chart.Render();
    }
}
