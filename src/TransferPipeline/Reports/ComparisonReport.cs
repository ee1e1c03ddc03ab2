using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>A comparison as one offline HTML page: the verdict, tables, charts, photos and where all of it comes from.</summary>
internal static class ComparisonReport
{
    /// <summary>Photos beyond those of the lists that get a thumbnail, for the map.</summary>
    private const int MapThumbnails = 500;

    /// <summary>Writes the page; the same comparison and thumbnails give the same bytes.</summary>
    /// <param name="thumbnail">A small JPEG or PNG of the photo with this path, as <see cref="ThumbnailMaker"/> makes; null when there is
    /// none.</param>
    public static void Write(string file, Comparison comparison, Func<string, byte[]?> thumbnail) =>
        Page.Save(file, Render(comparison, thumbnail));

    internal static string Render(Comparison comparison, Func<string, byte[]?> thumbnail)
    {
        var content = ReportContent.Of(comparison);
        var thumbnails = new ThumbnailSheet(thumbnail);
        var (shown, ranked) = (content.Shown, Ranking.Of(content.Shown));
        // In the order of the page.
        // The map comes behind the lists of photos and shows the pictures that these have, too.
        var sections = new List<Section>();
        sections.AddRange(HeadsSection.Build(shown, ranked));
        sections.AddRange(FeatureSetsSection.Build(shown, ranked));
        sections.AddRange(CurvesSection.Build(shown));
        sections.AddRange(HeadDetailsSection.Build(content, ranked, thumbnails));
        sections.AddRange(DataSection.Build(shown, thumbnails));
        sections.AddRange(MapSection.Build(shown, thumbnails, MapThumbnails));
        sections.AddRange(ProvenanceSection.Build(content));

        var body = new Html().Add(
            $"<a class=\"skip\" href=\"#content\">Skip to content</a>\n{Navigation(sections)}<main id=\"content\">\n"
        );
        VerdictHeader.Add(body, shown, ranked);
        foreach (var section in sections)
            body.Add(
                $"<section id=\"{section.Id}\" aria-labelledby=\"{section.Id}-title\">\n<h2 "
                    + $"id=\"{section.Id}-title\">{section.Title}</h2>\n{section.Body}</section>\n"
            );
        body.Add(
            $"<footer>Made by <b>transfer</b>. This page needs no network and sends nothing.</footer>\n</main>\n<div id=\"tip\" "
                + $"role=\"status\" hidden></div>\n{thumbnails.Definitions()}"
        );
        return Page.Render(
            $"{ranked[0].Head.ShortName}: {Figures.Rate(ranked[0].Head.Accuracy.Value)} – comparison of heads",
            body,
            ComparisonJson.Serialize(shown)
        );
    }

    private static Html Navigation(List<Section> sections)
    {
        var html = new Html().Add($"<nav aria-label=\"Sections\"><a href=\"#content\">Verdict</a>");
        foreach (var section in sections)
            html.Add($"<a href=\"#{section.Id}\">{section.Short}</a>");
        return html.Add($"</nav>\n");
    }
}
