namespace TransferPipeline.Reports;

/// <param name="Probability">0..1.</param>
internal readonly record struct ClassProbability(string Class, double Probability);

/// <summary>A photo with what a classifier takes it for.</summary>
/// <param name="Label">Its true class; null when it is not known.</param>
/// <param name="Top">The most probable classes, best first; the page shows up to five.</param>
internal sealed record PredictedPhoto(string Path, string? Label, IReadOnlyList<ClassProbability> Top)
{
    /// <summary>Right or wrong; null when the true class is not known.</summary>
    public bool? IsRight => Label is null ? null : Top.Count > 0 && Top[0].Class == Label;
}

/// <summary>Photos and their predictions as one offline HTML page with filters.</summary>
internal static class PredictionsPage
{
    private const int MostClasses = 5;

    /// <summary>Writes the page; the same photos and thumbnails give the same bytes.</summary>
    /// <param name="classifier">What predicted, such as the name of its file.</param>
    /// <param name="thumbnail">As in <see cref="ComparisonReport.Write"/>, best made with a side of <see cref="ThumbnailSide"/>.</param>
    public static void Write(string file, string classifier, ReportPhotos photos, Func<string, byte[]?> thumbnail) =>
        Page.Save(file, Render(classifier, photos, thumbnail));

    /// <summary>Side in pixels of the thumbnails that the page is laid out for.</summary>
    public const int ThumbnailSide = 192;

    internal static string Render(string classifier, ReportPhotos all, Func<string, byte[]?> thumbnail)
    {
        var photos = all.Kept;
        var thumbnails = new ThumbnailSheet(thumbnail, ThumbnailSide);
        var html = new Html().Add(
            $"<a class=\"skip\" href=\"#photos\">Skip to photos</a>\n<main id=\"content\" class=\"single\">\n<header>\n<p "
                + $"class=\"over\">Predictions of <bdi>{classifier}</bdi></p>\n"
        );
        html.Add($"<h1>{Figures.Count(all.Total)} {(all.Total == 1 ? "photo" : "photos")}");
        if (all.Known > 0)
            html.Add(
                $", {Figures.Count(all.Right)} of {Figures.Count(all.Known)} right ({Figures.Percent((double)all.Right / all.Known)})"
            );
        var folder = CommonFolder(photos);
        html.Add($"</h1>\n");
        if (folder.Length > 0)
            html.Add($"<p class=\"path\">in <bdi>{folder}</bdi></p>\n");
        if (photos.Count < all.Total)
            html.Add(
                $"<p class=\"muted\">The page shows {Figures.Count(photos.Count)} of them: "
                    + $"{(all.Known > 0 ? "the wrong ones, surest first, then " : "")}the least sure.</p>\n"
            );
        html.Add($"</header>\n<section aria-labelledby=\"photos\">\n<h2 id=\"photos\" class=\"sr\">Photos</h2>\n");
        Controls(html, photos, all.Known > 0);
        html.Add($"<ul class=\"photos large\" id=\"grid\">\n");
        for (var i = 0; i < photos.Count; i++)
            Photo(html, photos[i], i, folder.Length, thumbnails);
        html.Add(
            $"</ul>\n<p id=\"nothing\" class=\"muted\" hidden>No photo is like that.</p>\n</section>\n<footer>Made by "
                + $"<b>transfer</b>. This page needs no network and sends nothing.</footer>\n</main>\n{thumbnails.Definitions()}"
        );
        return Page.Render($"Predictions of {classifier}", html, json: null);
    }

    /// <summary>The start of all paths that ends with a slash: shown once, so that captions have room.</summary>
    private static string CommonFolder(IReadOnlyList<PredictedPhoto> photos)
    {
        if (photos.Count == 0)
            return "";
        var common = photos[0].Path.AsSpan();
        foreach (var photo in photos)
            common = common[..common.CommonPrefixLength(photo.Path)];
        // Up to a slash: cat1.jpg and cat2.jpg have more letters in common than their folder.
        return common[..(common.LastIndexOf('/') + 1)].ToString();
    }

    /// <summary>Shown by the script, without which they could do nothing.</summary>
    private static void Controls(Html html, IReadOnlyList<PredictedPhoto> photos, bool labelled)
    {
        html.Add($"<div class=\"controls\" data-controls=\"grid\" hidden>");
        if (labelled)
            html.Add(
                $"<label>Show <select data-filter=\"right\"><option value=\"\">all</option><option value=\"no\">wrong "
                    + $"ones</option><option value=\"yes\">right ones</option></select></label>"
            );
        html.Add($"<label>Predicted <select data-filter=\"predicted\"><option value=\"\">any class</option>");
        foreach (var name in photos.Where(p => p.Top.Count > 0).Select(p => p.Top[0].Class).Distinct().Order(StringComparer.Ordinal))
            html.Add($"<option value=\"{name}\">{Figures.Short(name, 40)}</option>");
        html.Add(
            $"</select></label><label>Order <select data-order><option value=\"i\">as given</option><option value=\"p\">least sure "
                + $"first</option><option value=\"-p\">surest first</option></select></label><output aria-live=\"polite\"></output></div>\n"
        );
    }

    private static void Photo(Html html, PredictedPhoto photo, int index, int folder, ThumbnailSheet thumbnails)
    {
        var best = photo.Top.Count > 0 ? photo.Top[0] : new ClassProbability("", 0);
        var (style, word) = photo.IsRight switch
        {
            true => ("right", "yes"),
            false => ("mistake", "no"),
            null => ("", ""),
        };
        html.Add(
            $"<li class=\"{style}\" data-i=\"{index}\" data-right=\"{word}\" data-predicted=\"{best.Class}\" "
                + $"data-p=\"{Figures.Exact(best.Probability)}\">{thumbnails.Picture(photo.Path)}"
        );
        if (photo.IsRight is { } right)
            html.Add($"<p>{Verdict(right, photo.Label!)}</p>");
        html.Add($"<ol class=\"top\">");
        foreach (var (name, probability) in photo.Top.Take(MostClasses))
        {
            html.Add(
                    $"<li{(name == photo.Label ? new Html().Add($" class=\"true\"") : new Html())}><span "
                        + $"class=\"grow\"><bdi>{name}</bdi></span>"
                )
                .Rate(probability);
            html.Add(
                $"<svg class=\"share\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"track\" "
                    + $"width=\"100\" height=\"4\"/><rect width=\"{100 * Math.Clamp(probability, 0, 1)}\" height=\"4\"/></svg></li>"
            );
        }

        html.Add($"</ol><p class=\"path\" title=\"{photo.Path}\">").Name(photo.Path[folder..]).Add($"</p></li>\n");
    }

    private static Html Verdict(bool right, string label) =>
        right
            ? new Html().Add($"<span class=\"badge best\">✓ right</span> <b><bdi>{label}</bdi></b>")
            : new Html().Add($"<span class=\"badge warn\">✗ wrong</span> <span class=\"muted\">is</span> <b><bdi>{label}</bdi></b>");
}
