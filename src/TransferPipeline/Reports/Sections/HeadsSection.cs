using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>All heads in one table, and their accuracy against the time of a fit.</summary>
internal static class HeadsSection
{
    public static IEnumerable<Section> Build(Comparison comparison, IReadOnlyList<RankedHead> ranked)
    {
        yield return new("heads", "Heads", "Heads side by side", Table(comparison, ranked));
        var heads = ranked.Select(r => r.Head).Where(TimeChart.HasPoint).ToArray();
        if (heads.Length < 2)
            yield break;
        var body = new Html().Add(
            $"<p class=\"lead\">Best is towards the upper left. Filled marks are tied with the best; bars are 95 % intervals.</p>\n"
        );
        // Two charts, of which the style shows one:
        // in a chart that is scaled down to a phone, the text would be too small.
        body.Add(
            $"{TimeChart.Render(heads, NameOf, 860, Math.Min(620, 340 + (heads.Length * 8)), "chart wide")}"
                + $"{TimeChart.Render(heads, NameOf, 400, 360, "chart narrow")}\n"
        );
        yield return new("time", "Accuracy and time", "Accuracy against fit time", body);

        string NameOf(HeadResult head) => Ranking.ShortName(comparison, head);
    }

    private static Html Table(Comparison comparison, IReadOnlyList<RankedHead> ranked)
    {
        var heads = ranked.Select(r => r.Head).ToArray();
        var (several, top5, calibrated) = (
            comparison.Provenance.FeatureSets.Count > 1,
            heads.Any(h => double.IsFinite(h.Top5)),
            heads.Any(h => double.IsFinite(h.CalibrationErrorScaled))
        );
        var sweeps = heads.Any(h => h.SweepSeconds > 0);
        var axis = IntervalBar.CommonAxis(heads);
        var html = new Html().Add(
            $"<p class=\"lead\">Sorted by accuracy. <span class=\"badge best\">best</span> and <span class=\"badge tie\">= "
                + $"tied</span> heads do not differ significantly by the paired test; the shaded strip is the best head's "
                + $"95 % interval.</p>\n"
        );
        // A box that scrolls needs a tab stop, or the keyboard could not scroll it.
        html.Add(
            $"<div class=\"scroll\" role=\"region\" aria-label=\"Table of heads\" tabindex=\"0\"><table class=\"heads "
                + $"sortable\"><thead><tr><th scope=\"col\">Head</th>"
        );
        if (several)
            html.Add($"<th scope=\"col\">Features</th>");
        // The column of bars is fixed: it has no figure of its own to sort by.
        html.Add(
            $"<th scope=\"col\" class=\"n\">Accuracy</th><th scope=\"col\" class=\"bar-head\" data-fixed><span class=\"sr\">95 % "
                + $"interval</span>{IntervalBar.Scale(axis)}</th>"
        );
        html.Add(
            $"<th scope=\"col\" class=\"n\"><abbr title=\"Holm-adjusted p-value of the paired test against the "
                + $"best\">p</abbr></th><th scope=\"col\" class=\"n\">Fit</th><th scope=\"col\" class=\"n\">Balanced</th><th "
                + $"scope=\"col\" class=\"n\">Macro F1</th>"
        );
        if (top5)
            html.Add($"<th scope=\"col\" class=\"n\">Top-5</th>");
        html.Add(
            $"<th scope=\"col\" class=\"n\">Log loss</th><th scope=\"col\" class=\"n\"><abbr title=\"Expected calibration error: 15 "
                + $"bins of equal width\">ECE</abbr></th>"
        );
        if (calibrated)
            html.Add(
                $"<th scope=\"col\" class=\"n\"><abbr title=\"Expected calibration error after temperature scaling\">scaled</abbr></th>"
            );
        if (sweeps)
            html.Add($"<th scope=\"col\" class=\"n\">Sweep</th>");
        html.Add($"<th scope=\"col\" class=\"n\">Predict</th><th scope=\"col\" class=\"n\">Parameters</th></tr></thead>\n<tbody>\n");
        foreach (var (index, head) in ranked)
        {
            html.Add(
                $"<tr{Row(head)}><th scope=\"row\"><a "
                    + $"href=\"#head-{index}\">{new Html().Name(head.Name)}</a>{Badge(head)}{Options(comparison, head)}</th>"
            );
            if (several)
                html.Add($"<td class=\"words\">").Name(FeatureSetsSection.NameOf(comparison, head.FeatureSet)).Add($"</td>");
            html.Cell(c =>
                c.Add($"<b>")
                    .Rate(head.Accuracy.Value)
                    .Add($"</b><span class=\"ends\">")
                    .Rate(head.Accuracy.Low)
                    .Add($" – ")
                    .Rate(head.Accuracy.High)
                    .Add($"</span>")
            );
            html.Add(
                $"<td class=\"interval\">{IntervalBar.Strip(axis, heads[0].Accuracy)}"
                    + $"{IntervalBar.Render(axis, head.Accuracy, head.TiedWithBest)}</td>"
            );
            html.Cell(c => c.PValue(head.PValue))
                .Cell(c => c.Seconds(head.FitSeconds))
                .Cell(c => c.Rate(head.BalancedAccuracy.Value))
                .Cell(c => c.Rate(head.MacroF1.Value));
            if (top5)
                html.Cell(c => c.Rate(head.Top5));
            html.Cell(c => c.Rate(head.LogLoss)).Cell(c => c.Rate(head.CalibrationError));
            if (calibrated)
                html.Cell(c => c.Rate(head.CalibrationErrorScaled));
            if (sweeps)
                // 0 seconds would look measured; a head without sweeps has none.
                html.Cell(c => c.Seconds(head.SweepSeconds > 0 ? head.SweepSeconds : double.NaN));
            html.Cell(c => c.Seconds(head.PredictSeconds)).Cell(c => c.Count(head.ParameterCount)).Add($"</tr>\n");
        }

        return html.Add($"</tbody></table></div>\n");
    }

    /// <summary>What its title contains beyond the name, and among how many values its sweeps chose.</summary>
    private static Html Options(Comparison comparison, HeadResult head)
    {
        var html = new Html();
        if (head.ChosenSettings.Length > 0)
            html.Add($"<span class=\"rest line-of-its-own\"><bdi>{head.ChosenSettings}</bdi></span>");
        var sweeps = comparison.Sweeps.Where(s => s.Head == head.Title).Select(s => $"{s.Values.Length} {s.Parameter}").ToArray();
        if (sweeps.Length > 0)
            html.Add($"<span class=\"rest line-of-its-own\">best of {string.Join(" × ", sweeps)}</span>");
        return html;
    }

    /// <summary>In words, since some readers cannot see colours.</summary>
    public static Html Badge(HeadResult head) =>
        Html.Of(html =>
        {
            if (Ranking.IsBest(head))
                html.Add($" <span class=\"badge best\">best</span>");
            else if (head.TiedWithBest)
                html.Add($" <span class=\"badge tie\">= tied</span>");
            if (!head.Converged)
                html.Add($" <span class=\"badge warn\">not converged</span>");
        });

    private static Html Row(HeadResult head) =>
        Html.Of(html =>
        {
            if (head.TiedWithBest)
                html.Add($" class=\"tied\"");
        });
}
