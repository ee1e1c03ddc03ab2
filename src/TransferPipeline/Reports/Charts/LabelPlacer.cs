namespace TransferPipeline.Reports.Charts;

/// <summary>Finds room for labels beside points: the first of some places that covers no point, no other label and stays inside.</summary>
internal sealed class LabelPlacer(double left, double top, double right, double bottom)
{
    private const double LineHeight = 14;
    private readonly List<(double Left, double Top, double Right, double Bottom)> _taken = [];

    /// <summary>Keeps labels off this place.</summary>
    public void Avoid(double x, double y, double radius) => _taken.Add((x - radius, y - radius, x + radius, y + radius));

    /// <returns>Where the text's baseline begins, or null when there is no room.</returns>
    public (double X, double Y)? Place(double x, double y, double gap, string text)
    {
        var width = Chart.TextWidth(text);
        (double X, double Y)[] places =
        [
            (x + gap, y - (LineHeight / 2)), (x - gap - width, y - (LineHeight / 2)), (x - (width / 2), y - gap - LineHeight), (x - (width / 2), y + gap),
            (x + gap, y - gap - LineHeight), (x + gap, y + gap), (x - gap - width, y - gap - LineHeight), (x - gap - width, y + gap),
            (x + gap, y - (2 * LineHeight)), (x + gap, y + LineHeight), (x - gap - width, y - (2 * LineHeight)), (x - gap - width, y + LineHeight),
        ];
        foreach (var place in places)
        {
            var box = (Left: place.X, Top: place.Y, Right: place.X + width, Bottom: place.Y + LineHeight);
            if (box.Left < left || box.Top < top || box.Right > right || box.Bottom > bottom || _taken.Exists(t => Overlap(t, box)))
                continue;
            _taken.Add(box);
            return (place.X, place.Y + LineHeight - 3);
        }

        return null;
    }

    private static bool Overlap((double Left, double Top, double Right, double Bottom) a, (double Left, double Top, double Right, double Bottom) b) =>
        a.Left < b.Right && b.Left < a.Right && a.Top < b.Bottom && b.Top < a.Bottom;
}
