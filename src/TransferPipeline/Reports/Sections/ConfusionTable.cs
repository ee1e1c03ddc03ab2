using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>
/// Who is taken for whom: a matrix shaded by the share of its row, or the most frequent pairs when there are many classes.
/// </summary>
internal static class ConfusionTable
{
    private const int ClassesWithPercent = 16;
    private const int PairsBesideMatrix = 8;

    public static void Add(Html html, HeadResult head, string of, IReadOnlyList<string> classes, IReadOnlyList<ConfusedPair> pairs)
    {
        html.Add($"<div class=\"beside\">");
        if (head.Confusion.Length > 0)
            Matrix(html, of, head.Confusion, classes);
        if (pairs.Count > 0 && (head.Confusion.Length == 0 || classes.Count > 3))
            Pairs(html, of, head.Confusion.Length == 0 ? pairs : [.. pairs.Take(PairsBesideMatrix)], alone: head.Confusion.Length == 0);
        html.Add($"</div>\n");
    }

    private static void Matrix(Html html, string of, int[][] confusion, IReadOnlyList<string> classes)
    {
        html.Add(
            $"<div><h3>Confusion matrix</h3>\n<p class=\"lead\">Rows are true classes, columns predictions; shades are shares of the "
                + $"row: <span class=\"swatch ok h7\"></span> right, <span class=\"swatch no h7\"></span> wrong.</p>\n"
        );
        html.Add(
            $"<div class=\"scroll\" role=\"region\" aria-label=\"Confusion matrix of {of}\" tabindex=\"0\"><table "
                + $"class=\"confusion\"><thead><tr><td></td>"
        );
        foreach (var name in classes)
            html.Add($"<th scope=\"col\" title=\"{name}\"><span><bdi>{Figures.Short(name, 18)}</bdi></span></th>");
        html.Add($"</tr></thead><tbody>\n");
        for (var truth = 0; truth < confusion.Length; truth++)
        {
            // A class without evaluated photos has a row of zeros.
            var total = Math.Max(1, confusion[truth].Sum());
            html.Add($"<tr><th scope=\"row\" title=\"{classes[truth]}\"><bdi>{Figures.Short(classes[truth], 24)}</bdi></th>");
            for (var predicted = 0; predicted < confusion[truth].Length; predicted++)
                Cell(
                    html,
                    confusion[truth][predicted],
                    (double)confusion[truth][predicted] / total,
                    truth == predicted,
                    classes.Count <= ClassesWithPercent
                );
            html.Add($"</tr>\n");
        }

        html.Add($"</tbody></table></div></div>\n");
    }

    /// <summary>Ten shades; a few wrong ones must be seen, so shares are spread by their root.</summary>
    private static void Cell(Html html, int count, double share, bool right, bool withPercent)
    {
        if (count == 0)
        {
            html.Add($"<td class=\"zero\">·</td>");
            return;
        }

        var shade = Math.Clamp((int)Math.Ceiling(Math.Sqrt(share) * 10), 1, 10);
        html.Add($"<td class=\"{(right ? "ok" : "no")} h{shade}\">{Figures.Count(count)}");
        if (withPercent)
            html.Add($"<small>{Figures.Percent(share)}</small>");
        html.Add($"</td>");
    }

    private static void Pairs(Html html, string of, IReadOnlyList<ConfusedPair> pairs, bool alone)
    {
        html.Add(
            $"<div><h3>Most frequent confusions</h3>\n<div class=\"scroll{(alone ? " tall" : "")}\" role=\"region\" "
                + $"aria-label=\"Confusions of {of}\" tabindex=\"0\"><table class=\"sortable\"><thead><tr><th "
                + $"scope=\"col\">Is</th><th scope=\"col\">Taken for</th><th scope=\"col\" class=\"n\">Photos</th><th scope=\"col\" "
                + $"class=\"n\">Of its class</th></tr></thead><tbody>\n"
        );
        foreach (var pair in pairs)
            html.Add($"<tr><td>")
                .Name(pair.Label)
                .Add($"</td><td>")
                .Name(pair.Predicted)
                .Add($"</td>")
                .Cell(c => c.Count(pair.Count))
                .Cell(c => c.Add($"{Figures.Percent((double)pair.Count / pair.Support)}"))
                .Add($"</tr>\n");
        html.Add($"</tbody></table></div></div>\n");
    }
}
