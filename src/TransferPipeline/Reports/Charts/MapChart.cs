using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>Photos as points of a two-dimensional map, one mark per class; a script shows what a point is.</summary>
internal static class MapChart
{
    private const double Side = 640;

    /// <param name="thumbnailOf">Identifier of a point's thumbnail, null for none.</param>
    public static Html Render(
        string title,
        FeatureMap map,
        Func<MapPoint, double> x,
        Func<MapPoint, double> y,
        Func<string, string?> thumbnailOf
    )
    {
        var (across, down) = (Square(map, x), Square(map, y));
        var html = new Html();
        html.Add(
            $"<svg class=\"chart map\" viewBox=\"0 0 {Side} {Side}\" role=\"img\" aria-label=\"{title}: {map.Points.Count} photos, "
                + $"one mark per class\"><title>{title}</title>"
        );
        for (var i = 0; i < map.Points.Count; i++)
        {
            var point = map.Points[i];
            if (!double.IsFinite(x(point)) || !double.IsFinite(y(point)))
                continue;
            var thumbnail = thumbnailOf(point.Path);
            // Numbers only: the script takes what a point is from the page's JSON,
            // so no path or class is repeated per mark.
            var attributes = new Html().Add($" data-i=\"{i}\" data-k=\"{point.Class}\"");
            if (thumbnail is not null)
                attributes.Add($" data-t=\"{thumbnail}\"");
            html.Add($"{Palette.Mark(point.Class, across.At(x(point)), down.At(y(point)), 3.6, null, attributes)}\n");
        }

        return html.Add($"</svg>");
    }

    private static Axis Square(FeatureMap map, Func<MapPoint, double> value) =>
        Axis.Linear(map.Points.Select(value), 12, Side - 12, margin: 0.02);
}
