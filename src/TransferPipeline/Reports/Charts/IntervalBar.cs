using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>A small bar for a table's row: the interval and its value on an axis that all rows share.</summary>
internal static class IntervalBar
{
    private const double Width = 150;
    private const double Height = 16;

    public static Axis CommonAxis(IReadOnlyList<HeadResult> heads) =>
        Axis.Linear(
            heads.SelectMany(h => new[] { h.Accuracy.Low, h.Accuracy.High, h.Accuracy.Value }),
            6,
            Width - 6,
            floor: 0,
            ceiling: 1,
            ticks: 3
        );

    /// <summary>The axis itself, for the head of the column.</summary>
    public static Html Scale(Axis axis)
    {
        var html = new Html().Add($"<svg class=\"bar\" viewBox=\"0 0 {Width} 16\" aria-hidden=\"true\">");
        foreach (var tick in axis.Ticks)
            html.Add($"<text class=\"tick\" x=\"{axis.At(tick)}\" y=\"11\" text-anchor=\"middle\">{Figures.Value(tick)}</text>");
        return html.Add($"</svg>");
    }

    /// <summary>Behind the bar, as high as the row: lines at the ticks and the best head's interval.</summary>
    public static Html Strip(Axis axis, ConfidenceInterval best)
    {
        // Stretched to the row's height, which depends on how the text beside it wraps.
        var html = new Html().Add($"<svg class=\"strip\" viewBox=\"0 0 {Width} 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
        if (double.IsFinite(best.Low) && double.IsFinite(best.High))
            html.Add(
                $"<rect class=\"shade\" x=\"{axis.At(best.Low)}\" width=\"{Math.Max(1, axis.At(best.High) - axis.At(best.Low))}\" "
                    + $"height=\"10\"/>"
            );
        foreach (var tick in axis.Ticks)
            html.Add($"<line class=\"grid\" x1=\"{axis.At(tick)}\" x2=\"{axis.At(tick)}\" y2=\"10\"/>");
        return html.Add($"</svg>");
    }

    public static Html Render(Axis axis, ConfidenceInterval interval, bool tied)
    {
        // Hidden from screen readers: the cell before it has the same figures as text.
        var html = new Html().Add($"<svg class=\"bar\" viewBox=\"0 0 {Width} {Height}\" aria-hidden=\"true\">");
        if (double.IsFinite(interval.Low) && double.IsFinite(interval.High))
            html.Add(
                $"<line class=\"{(tied ? "span tied" : "span")}\" x1=\"{axis.At(interval.Low)}\" x2=\"{axis.At(interval.High)}\" "
                    + $"y1=\"{Height / 2}\" y2=\"{Height / 2}\"/>"
            );
        if (double.IsFinite(interval.Value))
            html.Add(
                $"<circle class=\"{(tied ? "point tied" : "point")}\" cx=\"{axis.At(interval.Value)}\" cy=\"{Height / 2}\" r=\"4.5\"/>"
            );
        return html.Add($"</svg>");
    }
}
