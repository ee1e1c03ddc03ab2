using System.Globalization;
using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>One fold-out a head: options, confusions, classes, calibration, history, worst mistakes; the best one open.</summary>
internal static class HeadDetailsSection
{
    // Each head has mistakes of its own, and pictures of all would make the page too large to mail.
    private const int HeadsWithPhotos = 6;

    public static IEnumerable<Section> Build(ReportContent content, IReadOnlyList<RankedHead> ranked, ThumbnailSheet thumbnails)
    {
        var html = new Html();
        for (var place = 0; place < ranked.Count; place++)
        {
            var (index, head) = ranked[place];
            html.Add(
                    $"<details class=\"head\" id=\"head-{index}\"{Open(place == 0)}><summary><span "
                        + $"class=\"grow\">{Ranking.Title(head)}{HeadsSection.Badge(head)}</span><span class=\"figure\">"
                )
                .Rate(head.Accuracy.Value)
                .Add($"</span></summary>\n<div class=\"inside\">\n");
            Options(html, content.Shown, head);
            AgainstBest(html, content.Shown, index, ranked[0].Index);
            // Screen readers list regions by name; heads of one trainer would have the same without the place.
            var name = string.Create(CultureInfo.InvariantCulture, $"{head.Name}, place {place + 1}");
            ConfusionTable.Add(html, head, name, content.Shown.Data.Classes, content.ConfusedPairs[index]);
            PerClass(html, head, name, content.Shown.Data.Classes.Count);
            Calibration(html, head, name);
            History(html, head, name);
            Mistakes(html, head, thumbnails, withPhotos: place < HeadsWithPhotos);
            html.Add($"</div></details>\n");
        }

        yield return new("details", "Head by head", "Head by head", html);
    }

    /// <summary>Long decimals rounded; the exact value stays with the element.</summary>
    private static Html Value(string text) =>
        (text.Length > 8 || text.Contains('E', StringComparison.Ordinal))
        && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? new Html().Add($"<data value=\"{text}\" title=\"{text}\">{Figures.Value(number)}</data>")
            : new Html().Name(text);

    private static Html Open(bool open) => open ? new Html().Add($" open") : new Html();

    private static void Options(Html html, Comparison comparison, HeadResult head)
    {
        html.Add($"<h3>Fit</h3>\n<dl class=\"options\">");
        foreach (var (name, value) in head.Parameters)
            html.Add($"<div><dt><bdi>{name}</bdi></dt><dd>{Value(value)}</dd></div>");
        if (comparison.Provenance.FeatureSets.Count > 1)
            html.Add($"<div><dt>feature set</dt><dd>").Name(FeatureSetsSection.NameOf(comparison, head.FeatureSet)).Add($"</dd></div>");
        Fact("iterations", head.Iterations > 0, h => h.Count(head.Iterations));
        Fact("objective", double.IsFinite(head.Objective), h => h.Add($"{Figures.Value(head.Objective)}"));
        Fact("relative gap", double.IsFinite(head.RelativeGap), h => h.Add($"{Figures.Value(head.RelativeGap)}"));
        Fact("temperature", double.IsFinite(head.Temperature), h => h.Rate(head.Temperature));
        Fact("log loss after scaling", double.IsFinite(head.LogLossScaled), h => h.Rate(head.LogLossScaled));
        Fact("balanced accuracy, 95 %", true, h => h.Rate(head.BalancedAccuracy.Low).Add($" – ").Rate(head.BalancedAccuracy.High));
        Fact("macro F1, 95 %", true, h => h.Rate(head.MacroF1.Low).Add($" – ").Rate(head.MacroF1.High));
        html.Add($"</dl>\n");
        if (head.FoldAccuracies.Length > 0)
        {
            html.Add($"<p class=\"folds\"><span class=\"muted\">Accuracy of each fold</span> ");
            foreach (var fold in head.FoldAccuracies)
                html.Rate(fold).Add($" ");
            html.Add($"</p>\n");
        }

        void Fact(string name, bool known, Func<Html, Html> value)
        {
            if (!known)
                return;
            html.Add($"<div><dt>{name}</dt><dd>");
            value(html).Add($"</dd></div>");
        }
    }

    /// <summary>What the paired test rests on.</summary>
    private static void AgainstBest(Html html, Comparison comparison, int head, int best)
    {
        if (
            comparison.Tests.FirstOrDefault(t => (t.First == head && t.Second == best) || (t.First == best && t.Second == head))
                is not { } test
            || head == best
        )
            return;
        // A pair is stored once. From the side of its second head the difference has the other sign.
        var sign = test.First == head ? 1 : -1;
        var (own, other) = sign > 0 ? (test.OnlyFirstRight, test.OnlySecondRight) : (test.OnlySecondRight, test.OnlyFirstRight);
        html.Add($"<p class=\"against\"><span class=\"muted\">Against the best head</span> accuracy ")
            .Rate(sign * test.Difference)
            .Add($": ")
            .Count(own);
        html.Add($" photos that only this one has right, ").Count(other).Add($" that only the best one has; p = ").PValue(test.PValue);
        html.Add($" of this pair alone, ").PValue(test.AdjustedPValue).Add($" after Holm's correction.</p>\n");
    }

    private static void PerClass(Html html, HeadResult head, string name, int classes)
    {
        if (head.PerClass.Count == 0)
            return;
        html.Add($"<h3>Classes</h3>\n");
        if (head.PerClass.Count < classes)
            html.Add($"<p class=\"lead\">The {head.PerClass.Count} hardest of {classes} classes.</p>\n");
        html.Add(
            $"<div class=\"scroll tall\" role=\"region\" aria-label=\"Classes of {name}\" tabindex=\"0\"><table "
                + $"class=\"sortable\"><thead><tr><th scope=\"col\">Class</th><th scope=\"col\" class=\"n\">Photos</th><th "
                + $"scope=\"col\" class=\"n\">Precision</th><th scope=\"col\" class=\"n\">Recall</th><th scope=\"col\" "
                + $"class=\"n\">F1</th></tr></thead><tbody>\n"
        );
        foreach (var one in head.PerClass)
            html.Add($"<tr><th scope=\"row\">")
                .Name(one.Name)
                .Add($"</th>")
                .Cell(c => c.Count(one.Support))
                .Cell(c => c.Rate(one.Precision))
                .Cell(c => c.Rate(one.Recall))
                .Cell(c => c.Rate(one.F1))
                .Add($"</tr>\n");
        html.Add($"</tbody></table></div>\n");
    }

    private static void Calibration(Html html, HeadResult head, string name)
    {
        if (!head.Calibration.Any(b => b.Count > 0))
            return;
        var scaled = head.CalibrationScaled.Count > 0;
        html.Add($"<h3>Calibration</h3>\n<figure class=\"side\">{CalibrationChart.Render(head)}<div><p>Expected calibration error <b>")
            .Rate(head.CalibrationError)
            .Add($"</b>");
        if (scaled)
            html.Add($" as trained, <b>")
                .Rate(head.CalibrationErrorScaled)
                .Add($"</b> after scaling with temperature ")
                .Rate(head.Temperature);
        html.Add($".</p><ul class=\"legend\"><li>{Palette.Key(0)}as trained</li>");
        if (scaled)
            html.Add($"<li>{Palette.Key(1)}after temperature scaling</li>");
        html.Add($"</ul>");
        string[] columns =
        [
            "Bin",
            "Photos",
            "Confidence",
            "Right",
            .. scaled ? new[] { "Photos, scaled", "Confidence, scaled", "Right, scaled" } : [],
        ];
        // Bins without photos are left out of both lists.
        var lows = head.Calibration.Concat(head.CalibrationScaled).DistinctBy(b => b.Low).OrderBy(b => b.Low).ToArray();
        CurvesSection.FigureTable(
            html,
            $"calibration of {name}",
            columns,
            lows.Length,
            (cells, i) =>
            {
                cells.Cell(c => c.Add($"{Figures.Value(lows[i].Low)} – {Figures.Value(lows[i].High)}"));
                Bin(cells, head.Calibration.FirstOrDefault(b => b.Low == lows[i].Low));
                if (scaled)
                    Bin(cells, head.CalibrationScaled.FirstOrDefault(b => b.Low == lows[i].Low));
                return cells;
            }
        );
        html.Add($"</div></figure>\n");

        static void Bin(Html cells, CalibrationBin? bin) =>
            cells
                .Cell(c => c.Count(bin?.Count ?? 0))
                .Cell(c => c.Rate(bin is { Count: > 0 } ? bin.Confidence : double.NaN))
                .Cell(c => c.Rate(bin is { Count: > 0 } ? bin.Accuracy : double.NaN));
    }

    private static void History(Html html, HeadResult head, string name)
    {
        if (head.History.Count == 0)
            return;
        html.Add(
            $"<h3>Learning history</h3>\n<figure><div class=\"tiles\"><div class=\"tile\">{HistoryChart.Loss(head.History)}</div><div "
                + $"class=\"tile\">{HistoryChart.Accuracy(head.History)}</div></div><ul class=\"legend\"><li><svg class=\"key\" "
                + $"viewBox=\"0 0 20 14\" aria-hidden=\"true\"><path class=\"line c0\" d=\"M0 7h20\"/></svg>training</li>"
        );
        if (head.History.Any(e => double.IsFinite(e.ValidationLoss) || double.IsFinite(e.ValidationAccuracy)))
            html.Add(
                $"<li><svg class=\"key\" viewBox=\"0 0 20 14\" aria-hidden=\"true\"><path class=\"line c1 dash-long\" d=\"M0 "
                    + $"7h20\"/></svg>validation</li>"
            );
        html.Add($"</ul>");
        CurvesSection.FigureTable(
            html,
            $"learning history of {name}",
            ["Epoch", "Training loss", "Training accuracy", "Validation loss", "Validation accuracy"],
            head.History.Count,
            (cells, i) =>
                cells
                    .Cell(c => c.Count(head.History[i].Epoch))
                    .Cell(c => c.Rate(head.History[i].TrainLoss))
                    .Cell(c => c.Rate(head.History[i].TrainAccuracy))
                    .Cell(c => c.Rate(head.History[i].ValidationLoss))
                    .Cell(c => c.Rate(head.History[i].ValidationAccuracy))
        );
        html.Add($"</figure>\n");
    }

    private static void Mistakes(Html html, HeadResult head, ThumbnailSheet thumbnails, bool withPhotos)
    {
        if (head.Mistakes.Count == 0)
            return;
        html.Add(
            $"<h3>Worst mistakes</h3>\n<p class=\"lead\">Wrong and sure of it: the most confident first.</p>\n<ul class=\"photos\">\n"
        );
        foreach (var mistake in head.Mistakes)
        {
            html.Add(
                    $"<li>{(withPhotos ? thumbnails.Picture(mistake.Path) : new Html())}<p><span class=\"muted\">is</span> "
                        + $"<b><bdi>{mistake.Label}</bdi></b><br><span class=\"muted\">taken for</span> <b "
                        + $"class=\"wrong\"><bdi>{mistake.Predicted}</bdi></b> "
                )
                .Rate(mistake.Probability);
            html.Add($"</p><p class=\"path\" title=\"{mistake.Path}\">").Name(mistake.Path).Add($"</p></li>\n");
        }

        html.Add($"</ul>\n");
    }
}
