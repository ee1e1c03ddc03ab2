using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>The top of the page: best accuracy large, the verdict in a sentence, what it was measured on, warnings.</summary>
internal static class VerdictHeader
{
    public static void Add(Html html, Comparison comparison, IReadOnlyList<RankedHead> ranked)
    {
        var best = ranked[0].Head;
        html.Add(
            $"<header>\n<p class=\"over\">Comparison of {comparison.Heads.Count} "
                + $"{(comparison.Heads.Count == 1 ? "head" : "heads")}</p>\n<div class=\"hero\"><p class=\"big\">"
        );
        html.Rate(best.Accuracy.Value)
            .Add(
                $"<span>accuracy</span></p>\n<div><h1>{Ranking.Title(best)}</h1>\n<p "
                    + $"class=\"verdict\"><bdi>{comparison.Verdict}</bdi></p></div></div>\n<dl class=\"facts\">"
            );
        Fact(html, "Classes", Figures.Count(comparison.Data.Classes.Count));
        foreach (var (split, counts) in comparison.Data.Counts)
            Fact(html, $"Photos in {split}", Figures.Count(counts.Sum(c => (long)c)));
        if (comparison.Provenance.FeatureSets.Count == 1)
            Fact(html, "Values per photo", Figures.Count(comparison.Provenance.FeatureSets[0].Dimension));
        else
            Fact(html, "Feature sets", Figures.Count(comparison.Provenance.FeatureSets.Count));
        Fact(html, "Evaluated by", comparison.Protocol);
        html.Add($"</dl>\n");
        if (comparison.Warnings.Count > 0)
        {
            html.Add(
                $"<div class=\"warnings\" role=\"note\" "
                    + $"aria-label=\"Warnings\"><h2>"
                    + $"{(comparison.Warnings.Count == 1 ? "One warning" : $"{comparison.Warnings.Count} warnings")}</h2><ul>"
            );
            foreach (var warning in comparison.Warnings)
                html.Add($"<li><bdi>{warning}</bdi></li>");
            html.Add($"</ul></div>\n");
        }

        html.Add($"</header>\n");
    }

    private static void Fact(Html html, string name, string value) => html.Add($"<div><dt>{name}</dt><dd><bdi>{value}</bdi></dd></div>");
}
