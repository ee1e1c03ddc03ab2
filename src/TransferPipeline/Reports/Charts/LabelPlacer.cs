namespace TransferPipeline.Reports.Charts;

/// <summary>Finds room for labels beside points: the first of some places that covers no point, no other label and stays inside.</summary>
internal sealed class LabelPlacer(double left, double top, double right, double bottom)
{
    private const double LineHeight = 14;
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
            (x + gap, y - (LineHeight / 2)), (x - gap - width, y - (LineHeight / 2)), (x - (width / 2), y - gap - LineHeight), (x - (width / 2), y + gap),
            (x + gap, y - gap - LineHeight), (x + gap, y + gap), (x - gap - width, y - gap - LineHeight), (x - gap - width, y + gap),
            (x + gap, y - (2 * LineHeight)), (x + gap, y + LineHeight), (x - gap - width, y - (2 * LineHeight)), (x - gap - width, y + LineHeight),
        ];
        foreach (var place in near)
        {
            if (Take(place.X, place.Y, width) is not null)
                return new(place.X, place.Y + LineHeight - 3, null);
        }

        // In a crowd further out, with a line to the point.
        foreach (var ring in Rings)
        {
            for (var d = 0; d < Directions; d++)
            {
                var (across, down) = (Math.Cos(2 * Math.PI * d / Directions), Math.Sin(2 * Math.PI * d / Directions));
                var (middleX, middleY) = (x + (across * (ring + (width / 2))), y + (down * ring));
                if (Take(middleX - (width / 2), middleY - (LineHeight / 2), width) is { } box)
                    return new(box.Left, box.Bottom - 3, (Math.Clamp(x, box.Left, box.Right), Math.Clamp(y, box.Top, box.Bottom)));
            }
        }

        return null;
    }

    private Box? Take(double x, double y, double width)
    {
        var box = new Box(x, y, x + width, y + LineHeight);
        if (box.Left < left || box.Top < top || box.Right > right || box.Bottom > bottom || _taken.Exists(box.Overlaps))
            return null;
        _taken.Add(box);
        return box;
    }

    /// <param name="X">Where the text's baseline begins.</param>
    /// <param name="LineEnd">Where a line from the point meets the text; null for one that stands beside its point.</param>
    internal readonly record struct Label(double X, double Y, (double X, double Y)? LineEnd);

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public bool Overlaps(Box other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;
    }
}
