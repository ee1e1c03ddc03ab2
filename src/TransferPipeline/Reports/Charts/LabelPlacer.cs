namespace TransferPipeline.Reports;

/// <summary>Finds room for labels beside points: the first of some places that covers no point, no other label and stays inside.</summary>
/// <param name="withLines">Where all of these are taken, try places further out, to which a line leads; in a small chart such lines
/// confuse.</param>
internal sealed class LabelPlacer(double left, double top, double right, double bottom, bool withLines)
{
    private const double LineHeight = 14;
    private const double LineGap = 3;
    private const int Directions = 16;
    private static readonly double[] Rings = [26, 40, 54, 68, 84, 100, 120];
    private readonly List<Box> _taken = [];

    /// <summary>Keeps labels off this place.</summary>
    public void Avoid(double x, double y, double radius) => _taken.Add(new(x - radius, y - radius, x + radius, y + radius));

    /// <returns>Where the text stands, or null when there is no room.</returns>
    public Label? Place(double x, double y, double gap, string text)
    {
        var width = Chart.TextWidth(text);
        (double X, double Y)[] near =
        [
            (x + gap, y - (LineHeight / 2)),
            (x - gap - width, y - (LineHeight / 2)),
            (x - (width / 2), y - gap - LineHeight),
            (x - (width / 2), y + gap),
            (x + gap, y - gap - LineHeight),
            (x + gap, y + gap),
            (x - gap - width, y - gap - LineHeight),
            (x - gap - width, y + gap),
            (x + gap, y - (2 * LineHeight)),
            (x + gap, y + LineHeight),
            (x - gap - width, y - (2 * LineHeight)),
            (x - gap - width, y + LineHeight),
        ];
        foreach (var place in near)
        {
            if (Take(place.X, place.Y, width))
                return new(place.X, place.Y + LineHeight - 3, null);
        }

        // Never straight up or down, where the line would hide in the bar of an interval.
        foreach (var ring in withLines ? Rings : [])
        {
            for (var d = 0; d < Directions; d++)
            {
                var angle = 2 * Math.PI * (d + 0.5) / Directions;
                var (endX, endY) = (x + (ring * Math.Cos(angle)), y + (ring * Math.Sin(angle)));
                var start = Math.Cos(angle) > 0 ? endX + LineGap : endX - LineGap - width;
                if (Take(start, endY - (LineHeight / 2), width))
                    return new(start, endY + (LineHeight / 2) - 3, (endX, endY));
            }
        }

        return null;
    }

    private bool Take(double x, double y, double width)
    {
        var box = new Box(x, y, x + width, y + LineHeight);
        if (box.Left < left || box.Top < top || box.Right > right || box.Bottom > bottom || _taken.Exists(box.Overlaps))
            return false;
        _taken.Add(box);
        return true;
    }

    /// <param name="X">Where the text's baseline begins.</param>
    /// <param name="LineEnd">Where a line from the point ends, at the text; null for one that stands beside its point.</param>
    internal readonly record struct Label(double X, double Y, (double X, double Y)? LineEnd);

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public bool Overlaps(Box other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;
    }
}
