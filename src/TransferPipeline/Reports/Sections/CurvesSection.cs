using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>How accuracy depends on an option's value and on the number of training photos.</summary>
internal static class CurvesSection
{
    public static IEnumerable<Section> Build(Comparison comparison)
    {
        if (comparison.Sweeps.Count > 0)
            yield return new("sweeps", "Sweeps", "Sweeps", Sweeps(comparison.Sweeps, c => Ranking.ShortName(comparison, c.Head)));
        if (comparison.FewShot.Count > 0)
            yield return new(
                "few-shot",
                "Few photos",
                "With fewer training photos",
                FewShot(
                    comparison.FewShot,
                    comparison.Heads.All(h => h.FoldAccuracies.Length == 0),
                    c => Ranking.ShortName(comparison, c.Head)
                )
            );
    }

    private static Html Sweeps(IReadOnlyList<SweepCurve> sweeps, Func<SweepCurve, string> nameOf)
    {
        var html = new Html().Add(
            $"<p class=\"lead\">Values were chosen without the photos that are reported. Bands and bars are one standard "
                + $"error.</p>\n<div class=\"tiles\">\n"
        );
        foreach (var sweep in sweeps)
        {
            html.Add($"<figure class=\"tile\"><figcaption><b>")
                .Name(nameOf(sweep))
                .Add($"</b><span class=\"muted\">chosen by <bdi>{sweep.ChosenBy}</bdi></span>");
            if (sweep.OnEdge)
                html.Add($"<span class=\"badge warn\">on the edge of the values tried</span>");
            html.Add($"</figcaption>{SweepChart.Render(sweep)}");
            FigureTable(
                html,
                $"sweep of {sweep.Parameter} of {nameOf(sweep)}",
                [sweep.Parameter, "Accuracy", "Standard error", "Chosen"],
                sweep.Values.Length,
                (cells, i) =>
                    cells
                        .Cell(c => c.Add($"{Figures.Value(sweep.Values[i])}"))
                        .Cell(c => c.Rate(sweep.Scores[i]))
                        .Cell(c => c.Rate(i < sweep.StandardErrors.Length ? sweep.StandardErrors[i] : double.NaN))
                        .Add($"<td>{(sweep.Values[i] == sweep.Chosen ? "yes" : "")}</td>")
            );
            html.Add($"</figure>\n");
        }

        return html.Add($"</div>\n");
    }

    private static Html FewShot(IReadOnlyList<FewShotCurve> curves, bool onSplit, Func<FewShotCurve, string> nameOf)
    {
        // Over folds each draw is evaluated on a fold of its own,
        // so the last words of the sentence are for a split alone.
        var html = new Html().Add(
            $"<p class=\"lead\">Mean accuracy over {curves.Max(c => c.Draws)} draws of so many training photos per class; bands are 95 "
                + $"% intervals of that mean over the draws{(onSplit ? ", which are all evaluated on the same photos" : "")}.</p>\n<figure>"
        );
        html.Add(
            $"{FewShotChart.Render(curves, nameOf, 860, 420, "chart wide")}"
                + $"{FewShotChart.Render(curves, nameOf, 400, 320, "chart narrow")}<ul class=\"legend narrow\">"
        );
        for (var c = 0; c < curves.Count; c++)
            html.Add($"<li>{Palette.Key(c)}").Name(nameOf(curves[c])).Add($"</li>");
        html.Add($"</ul>");
        var rows = curves.SelectMany(c => c.PerClass.Select((n, i) => (c.Head, n, c.Accuracy[i]))).ToArray();
        FigureTable(
            html,
            "few photos",
            ["Head", "Photos per class", "Accuracy", "Low", "High"],
            rows.Length,
            (cells, i) =>
                cells
                    .Add($"<td>")
                    .Name(rows[i].Head)
                    .Add($"</td>")
                    .Cell(c => c.Count(rows[i].n))
                    .Cell(c => c.Rate(rows[i].Item3.Value))
                    .Cell(c => c.Rate(rows[i].Item3.Low))
                    .Cell(c => c.Rate(rows[i].Item3.High))
        );
        return html.Add($"</figure>\n");
    }

    /// <summary>The table behind a chart, folded away.</summary>
    /// <param name="chart">Its name among the page's tables.</param>
    public static void FigureTable(Html html, string chart, string[] columns, int rows, Func<Html, int, Html> cells)
    {
        html.Add(
            $"<details class=\"figures\"><summary>Figures</summary><div class=\"scroll\" role=\"region\" aria-label=\"Figures: "
                + $"{chart}\" tabindex=\"0\"><table><thead><tr>"
        );
        foreach (var column in columns)
            html.Add($"<th scope=\"col\">{column}</th>");
        html.Add($"</tr></thead><tbody>");
        for (var i = 0; i < rows; i++)
        {
            html.Add($"<tr>");
            cells(html, i).Add($"</tr>\n");
        }

        html.Add($"</tbody></table></div></details>");
    }
}
