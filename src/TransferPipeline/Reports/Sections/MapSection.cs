using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>The photos as a map, by principal components and by neighbours; both are shown where no script runs.</summary>
internal static class MapSection
{
    private const int LegendClasses = 40;

    public static IEnumerable<Section> Build(Comparison comparison, ThumbnailSheet thumbnails, int mostThumbnails)
    {
        if (comparison.Map is not { Points.Count: > 0 } map)
            yield break;
        // Evenly over the map's points, which are in no order that matters.
        var every = Math.Max(1, (map.Points.Count + mostThumbnails - 1) / mostThumbnails);
        for (var i = 0; i < map.Points.Count; i += every)
            // Makes the picture; the marks of both panels only ask for those that there are.
            thumbnails.IdOf(map.Points[i].Path);

        var html = new Html().Add($"<p class=\"lead\">{Figures.Count(map.Points.Count)} photos");
        if (comparison.Provenance.FeatureSets.Count > 1)
            html.Add($" of ").Name(FeatureSetsSection.NameOf(comparison, map.FeatureSet));
        html.Add(
            $" by what the backbone sees in them: close means alike. Point at one to see what it "
                + $"is{Pictured(map.Points.Count, map.Points.Count(p => thumbnails.Known(p.Path) is not null))}, or go from one to "
                + $"the next with the arrow keys; choose classes in the legend.</p>\n<div class=\"map-box\" data-map>\n"
        );
        html.Add(
            $"<div class=\"tabs\" role=\"tablist\" aria-label=\"Kind of map\" hidden><button role=\"tab\" id=\"tab-neighbours\" "
                + $"aria-controls=\"map-neighbours\" aria-selected=\"true\">Neighbours</button><button role=\"tab\" id=\"tab-pca\" "
                + $"aria-controls=\"map-pca\" aria-selected=\"false\" tabindex=\"-1\">Principal components</button></div>\n"
        );
        html.Add($"<div class=\"map-panels\">\n");
        Panel(
            "neighbours",
            "Neighbour embedding",
            $"{map.Embedding}. Distances between far groups mean little.",
            p => p.EmbeddingX,
            p => p.EmbeddingY
        );
        var explained =
            map.ExplainedVariance.Length > 1
                ? $"The first two principal components: {Figures.Percent(map.ExplainedVariance[0])} and "
                    + $"{Figures.Percent(map.ExplainedVariance[1])} of the variance."
                : "The first two principal components.";
        Panel("pca", "Principal components", explained, p => p.PcaX, p => p.PcaY);
        html.Add($"</div>\n");
        Legend(html, comparison.Data.Classes, map);
        yield return new("map", "Map", "Map of the features", html.Add($"</div>\n"));

        void Panel(string id, string title, string note, Func<MapPoint, double> x, Func<MapPoint, double> y)
        {
            if (!map.Points.Any(p => double.IsFinite(x(p)) && double.IsFinite(y(p))))
                return;
            html.Add(
                $"<div class=\"panel\" id=\"map-{id}\" data-panel "
                    + $"aria-labelledby=\"tab-{id}\"><figure>{MapChart.Render(title, map, x, y, thumbnails.Known)}<figcaption "
                    + $"class=\"muted\"><b>{title}.</b> <bdi>{note}</bdi></figcaption></figure></div>\n"
            );
        }
    }

    private static string Pictured(int points, int withPicture) =>
        withPicture == 0 || withPicture == points ? "" : $" ({Figures.Count(withPicture)} have a picture)";

    private static void Legend(Html html, IReadOnlyList<string> classes, FeatureMap map)
    {
        // The largest classes, but in the order that classes have everywhere else.
        var counts = map
            .Points.CountBy(p => p.Class)
            .OrderByDescending(c => c.Value)
            .ThenBy(c => c.Key)
            .Take(LegendClasses)
            .OrderBy(c => c.Key)
            .ToArray();
        html.Add($"<ul class=\"legend choose\">\n");
        foreach (var (index, count) in counts)
            html.Add($"<li><button type=\"button\" data-class=\"{index}\" aria-pressed=\"false\">{Palette.Key(index)}")
                .Name(classes[index])
                .Add($" <span class=\"muted\">{Figures.Count(count)}</span></button></li>\n");
        html.Add($"</ul>\n");
        if (classes.Count > LegendClasses)
            html.Add($"<p class=\"muted\">The {LegendClasses} largest of {Figures.Count(classes.Count)} classes are listed.</p>\n");
    }
}
