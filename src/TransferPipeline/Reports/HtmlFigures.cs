namespace TransferPipeline.Reports;

/// <summary>Figures as elements that carry their exact value, so that scripts sort by it and tests compare it with the JSON.</summary>
internal static class HtmlFigures
{
    public static Html Rate(this Html html, double value) => html.Data(value, Figures.Rate(value));

    public static Html Seconds(this Html html, double value) => html.Data(value, Figures.Seconds(value));

    public static Html Count(this Html html, long value) => html.Data(value, Figures.Count(value));

    public static Html PValue(this Html html, double value) => html.Data(value, Figures.PValue(value));

    /// <summary>A table cell with a right-aligned figure.</summary>
    public static Html Cell(this Html html, Func<Html, Html> figure)
    {
        html.Add($"<td class=\"n\">");
        figure(html);
        return html.Add($"</td>");
    }

    private static Html Data(this Html html, double value, string text) =>
        double.IsFinite(value)
            ? html.Add($"<data value=\"{Figures.Exact(value)}\">{text}</data>")
            : html.Add($"<span class=\"none\">{text}</span>");
}
