using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>The photos themselves: how many there are, which look alike, which labels and photos look wrong.</summary>
internal static class DataSection
{
    private const int MostPairs = 40;
    private const int MostPhotos = 48;

    public static IEnumerable<Section> Build(Comparison comparison, ThumbnailSheet thumbnails)
    {
        if (comparison.DataCheck is { } check)
        {
            yield return new("suspects", "Suspect labels", "Suspect labels", Suspects(check, thumbnails));
            yield return new("duplicates", "Near-duplicates", "Near-duplicates", Duplicates(check, thumbnails));
            yield return new("outliers", "Outliers", "Outliers", Outliers(check, thumbnails));
        }

        yield return new("data", "Data", "Photos of each class", Counts(comparison.Data));
    }

    private static Html Suspects(DataCheck check, ThumbnailSheet thumbnails)
    {
        var none = check.SuspectLabels.Count == 0;
        var html = new Html().Add(
            $"<p class=\"lead\">{(none ? "There are no photos" : "Photos")} whose label a head that did not see them "
        );
        if (check.SuspectLabelsBy.Length > 0)
            html.Add($"(<bdi>{check.SuspectLabelsBy}</bdi>) ");
        if (none)
            return html.Add($"finds improbable.</p>\n");
        html.Add(
            $"finds improbable: worth a look.{Of(Math.Min(MostPhotos, check.SuspectLabels.Count), check.SuspectLabelCount)}</p>\n<ul "
                + $"class=\"photos\">\n"
        );
        foreach (var suspect in check.SuspectLabels.Take(MostPhotos))
        {
            html.Add($"<li>{thumbnails.Picture(suspect.Path)}<p><span class=\"muted\">labelled</span> <b><bdi>{suspect.Label}</bdi></b> ")
                .Rate(suspect.Probability);
            html.Add($"<br><span class=\"muted\">looks like</span> <b class=\"wrong\"><bdi>{suspect.Suggested}</bdi></b> ")
                .Rate(suspect.SuggestedProbability);
            html.Add($"</p>{Where(suspect.Split, suspect.Path)}</li>\n");
        }

        return html.Add($"</ul>\n");
    }

    private static Html Duplicates(DataCheck check, ThumbnailSheet thumbnails)
    {
        var none = check.NearDuplicates.Count == 0;
        var html = new Html().Add($"<p class=\"lead\">{(none ? "There are no pairs" : "Pairs")} of photos whose vectors have a cosine ");
        if (double.IsFinite(check.NearDuplicateCosine))
            html.Add($"of at least ").Rate(check.NearDuplicateCosine);
        else
            html.Add($"near 1");
        if (none)
            return html.Add($".</p>\n");
        html.Add(
            $". Across splits they flatter the "
                + $"accuracy.{Of(Math.Min(MostPairs, check.NearDuplicates.Count), check.NearDuplicateCount)}</p>\n"
        );
        if (double.IsFinite(check.AccuracyWithDuplicates) && double.IsFinite(check.AccuracyWithoutDuplicates))
        {
            html.Add($"<dl class=\"facts\"><div><dt>Best head, all evaluated photos</dt><dd>").Rate(check.AccuracyWithDuplicates);
            html.Add($"</dd></div><div><dt>Without photos that resemble a training photo</dt><dd>").Rate(check.AccuracyWithoutDuplicates);
            html.Add($"</dd></div><div><dt>Such photos</dt><dd>").Count(check.EvaluatedWithDuplicate).Add($"</dd></div></dl>\n");
        }

        html.Add($"<ul class=\"pairs\">\n");
        foreach (var pair in check.NearDuplicates.Take(MostPairs))
        {
            html.Add(
                    $"<li><div class=\"two\">{Side(pair.PathA, pair.SplitA, pair.LabelA)}"
                        + $"{Side(pair.PathB, pair.SplitB, pair.LabelB)}</div><p>cosine "
                )
                .Rate(pair.Cosine);
            if (pair.SplitA != pair.SplitB)
                html.Add($" <span class=\"badge warn\">across splits</span>");
            if (pair.LabelA != pair.LabelB)
                html.Add($" <span class=\"badge warn\">labels differ</span>");
            html.Add($"</p></li>\n");
        }

        return html.Add($"</ul>\n");

        Html Side(string path, string split, string label) =>
            new Html().Add($"<div>{thumbnails.Picture(path)}<p><b><bdi>{label}</bdi></b></p>{Where(split, path)}</div>");
    }

    private static Html Outliers(DataCheck check, ThumbnailSheet thumbnails)
    {
        if (check.Outliers.Count == 0)
            return new Html().Add($"<p class=\"lead\">No photo is further from the others of its class than is usual there.</p>\n");
        var html = new Html().Add(
            $"<p class=\"lead\">Photos unlike the others of their class: the mean cosine distance to their nearest neighbours in it, "
                + $"those furthest beyond what is usual there first.</p>\n<ul class=\"photos\">\n"
        );
        foreach (var outlier in check.Outliers.Take(MostPhotos))
        {
            html.Add(
                    $"<li>{thumbnails.Picture(outlier.Path)}<p><b><bdi>{outlier.Label}</bdi></b><br><span class=\"muted\">distance</span> "
                )
                .Rate(outlier.Score);
            html.Add($"</p>{Where(outlier.Split, outlier.Path)}</li>\n");
        }

        return html.Add($"</ul>\n");
    }

    private static Html Counts(DataSummary data)
    {
        var splits = data.Counts.ToArray();
        var html = new Html().Add(
            $"<div class=\"scroll tall\" role=\"region\" aria-label=\"Photos of each class\" tabindex=\"0\"><table class=\"sortable "
                + $"counts\"><thead><tr><th scope=\"col\">Class</th>"
        );
        foreach (var (split, _) in splits)
            html.Add($"<th scope=\"col\" class=\"n count-head\">").Name(split).Add($"</th>");
        html.Add($"</tr></thead><tbody>\n");
        for (var k = 0; k < data.Classes.Count; k++)
        {
            html.Add($"<tr><th scope=\"row\">").Name(data.Classes[k]).Add($"</th>");
            foreach (var (_, counts) in splits)
            {
                // Relative to the split's own largest class: beside train the bars of a small split would vanish.
                var most = Math.Max(1, counts.DefaultIfEmpty(0).Max());
                var count = k < counts.Length ? counts[k] : 0;
                html.Add($"<td class=\"counted\">")
                    .Count(count)
                    .Add(
                        $"<svg class=\"count\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect "
                            + $"width=\"{100.0 * count / most}\" height=\"8\" rx=\"2\"/></svg></td>"
                    );
            }

            html.Add($"</tr>\n");
        }

        html.Add($"</tbody><tfoot><tr><th scope=\"row\">All</th>");
        foreach (var (_, counts) in splits)
            html.Add($"<td class=\"counted\">").Count(counts.Sum(n => (long)n)).Add($"</td>");
        return html.Add($"</tr></tfoot></table></div>\n");
    }

    /// <summary>A photo's path, with its split where the path does not begin with that.</summary>
    private static Html Where(string split, string path)
    {
        var html = new Html().Add($"<p class=\"path\" title=\"{path}\">");
        if (!path.StartsWith(split + "/", StringComparison.Ordinal))
            html.Name(split).Add($" · ");
        return html.Name(path).Add($"</p>");
    }

    private static string Of(int shown, int all) => all > shown ? $" {shown} of {Figures.Count(all)} are shown." : "";
}
