using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>Several feature sets: their size and cost beside the best accuracy on each.</summary>
internal static class FeatureSetsSection
{
    public static IEnumerable<Section> Build(Comparison comparison, IReadOnlyList<RankedHead> ranked)
    {
        var sets = comparison.Provenance.FeatureSets;
        if (sets.Count < 2)
            yield break;
        var html = new Html().Add(
            $"<p class=\"lead\">Every head saw the same photos and splits on each set.</p>\n<div class=\"scroll\" role=\"region\" "
                + $"aria-label=\"Table of feature sets\" tabindex=\"0\"><table class=\"sortable\"><thead><tr><th "
                + $"scope=\"col\">Feature set</th><th scope=\"col\">Model</th><th scope=\"col\">Cut</th><th scope=\"col\" "
                + $"class=\"n\">Values</th><th scope=\"col\" class=\"n\">Extraction</th><th scope=\"col\">Best head on it</th><th "
                + $"scope=\"col\" class=\"n\">Accuracy</th><th scope=\"col\" class=\"n\">95 % interval</th><th scope=\"col\" "
                + $"class=\"n\">Fit</th></tr></thead>\n<tbody>"
        );
        for (var s = 0; s < sets.Count; s++)
        {
            var set = sets[s];
            html.Add($"<tr><th scope=\"row\">")
                .Name(NameOf(comparison, s))
                .Add($"</th><td>")
                .Name(set.Model)
                .Add($"</td><td>")
                .Name(set.Cut)
                .Add($"</td>");
            html.Cell(c => c.Count(set.Dimension)).Cell(c => c.Seconds(set.ExtractionSeconds));
            // In the order of accuracy, so the first head of a set is its best.
            if (ranked.FirstOrDefault(r => r.Head.FeatureSet == s)?.Head is { } best)
            {
                html.Add($"<td>").Name(best.ChosenTitle).Add($"{HeadsSection.Badge(best)}</td>").Cell(c => c.Rate(best.Accuracy.Value));
                html.Cell(c => c.Rate(best.Accuracy.Low).Add($" – ").Rate(best.Accuracy.High)).Cell(c => c.Seconds(best.FitSeconds));
            }
            else
            {
                html.Add($"<td colspan=\"4\" class=\"none\">no head was trained on it</td>");
            }

            html.Add($"</tr>\n");
        }

        yield return new("features", "Feature sets", "Feature sets", html.Add($"</tbody></table></div>\n"));
    }

    /// <summary>The last part of a set's folder, or all of it where another set has the same.</summary>
    public static string NameOf(Comparison comparison, int set)
    {
        var folders = comparison.Provenance.FeatureSets.Select(s => s.Folder).ToArray();
        var name = Last(folders[set]);
        return name.Length > 0 && folders.Count(f => Last(f) == name) == 1 ? name : folders[set];
    }

    private static string Last(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
}
