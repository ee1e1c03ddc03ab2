namespace TransferPipeline.Reports;

/// <summary>
/// Eight colours that stay apart for colour-blind eyes (after Okabe and Ito 2008; the page's style has their values for light and dark),
/// combined with four shapes and dash patterns, so that two things never differ by colour alone.
/// </summary>
internal static class Palette
{
    private const int Colours = 8;
    private static readonly string[] Dashes = ["", "dash-long", "dash-short", "dash-dot"];

    /// <summary>The class that sets the colour.</summary>
    public static string Of(int index) => FormattableString.Invariant($"c{index % Colours}");

    public static string Dash(int index) => Dashes[index / 2 % Dashes.Length];

    /// <summary>
    /// A circle, square, triangle or diamond around a point; the shape changes with the colours' second round, or at once where lines are
    /// distinguished by it.
    /// </summary>
    public static Html Mark(int index, double x, double y, double size, Html? inside = null, Html? attributes = null)
    {
        // Four divides eight: by index % 4 alone, the ninth mark would be the first one again in colour and shape.
        var shape = (index + (index / Colours)) % 4;
        var (colour, within, more) = (Of(index), inside ?? new Html(), attributes ?? new Html());
        var html = new Html();
        return shape switch
        {
            0 => html.Add($"<circle class=\"mark {colour}\"{more} cx=\"{x}\" cy=\"{y}\" r=\"{size}\">{within}</circle>"),
            1 => html.Add(
                $"<path class=\"mark {colour}\"{more} d=\"M{x - (size * 0.9)} "
                    + $"{y - (size * 0.9)}h{size * 1.8}v{size * 1.8}h{-size * 1.8}z\">{within}</path>"
            ),
            2 => html.Add(
                $"<path class=\"mark {colour}\"{more} d=\"M{x} {y - (size * 1.2)}l{size * 1.15} {size * 2}h{-size * 2.3}z\">{within}</path>"
            ),
            _ => html.Add(
                $"<path class=\"mark {colour}\"{more} d=\"M{x} {y - (size * 1.3)}l{size * 1.3} {size * 1.3}l{-size * 1.3} "
                    + $"{size * 1.3}l{-size * 1.3} {-size * 1.3}z\">{within}</path>"
            ),
        };
    }

    /// <summary>The mark as a small picture for a legend.</summary>
    public static Html Key(int index) =>
        new Html().Add($"<svg class=\"key\" viewBox=\"0 0 14 14\" aria-hidden=\"true\">{Mark(index, 7, 7, 4.5)}</svg>");
}
