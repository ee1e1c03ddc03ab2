namespace TransferPipeline.Reports;

/// <summary>An SVG chart with two axes, a title and a description for screen readers; colours come from the page's classes.</summary>
internal sealed class Chart
{
    public const double Top = 24;
    private const double CharacterWidth = 6.6;
    private readonly Html _inside = new();
    private readonly string _title;
    private readonly string _description;

    /// <param name="title">Read aloud in place of the picture.</param>
    public Chart(double width, double height, string title, string description, double left = 52, double bottom = 44, double right = 16)
    {
        (Width, Height, _title, _description) = (width, height, title, description);
        (Left, Right, Bottom) = (left, width - right, height - bottom);
    }

    public double Width { get; }

    public double Height { get; }

    public double Left { get; }

    public double Right { get; }

    /// <summary>Pixel of the horizontal axis.</summary>
    public double Bottom { get; }

    /// <summary>Lines and numbers of both axes, beneath what is drawn later.</summary>
    public Chart Axes(Axis x, Axis y, string xTitle, string yTitle, Func<double, string> xLabel, Func<double, string> yLabel)
    {
        foreach (var tick in y.Ticks)
            Draw(
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Right}\" y1=\"{y.At(tick)}\" y2=\"{y.At(tick)}\"/><text class=\"tick\" "
                    + $"x=\"{Left - 8}\" y=\"{y.At(tick) + 4}\" text-anchor=\"end\">{yLabel(tick)}</text>"
            );
        foreach (var tick in x.Ticks)
            Draw(
                $"<line class=\"grid\" x1=\"{x.At(tick)}\" x2=\"{x.At(tick)}\" y1=\"{Top}\" y2=\"{Bottom + 4}\"/><text class=\"tick\" "
                    + $"x=\"{x.At(tick)}\" y=\"{Bottom + 18}\" text-anchor=\"middle\">{xLabel(tick)}</text>"
            );
        Draw($"<line class=\"axis\" x1=\"{Left}\" x2=\"{Right}\" y1=\"{Bottom}\" y2=\"{Bottom}\"/>");
        Draw($"<text class=\"axis-title\" x=\"{(Left + Right) / 2}\" y=\"{Height - 6}\" text-anchor=\"middle\">{xTitle}</text>");
        if (yTitle.Length > 0)
            Draw($"<text class=\"axis-title\" x=\"{Left - 40}\" y=\"{Top - 11}\">{yTitle}</text>");
        return this;
    }

    // As in Html.Add, the handler has written the markup while it was made.
    public Chart Draw([System.Runtime.CompilerServices.InterpolatedStringHandlerArgument("")] ref Drawing drawing) => this;

    /// <summary>A polyline through finite points.</summary>
    public Chart Line(string style, IEnumerable<(double X, double Y)> points) =>
        Draw($"<polyline class=\"{style}\" points=\"{Points(points)}\"/>");

    public Chart Area(string style, IEnumerable<(double X, double Y)> points) =>
        Draw($"<polygon class=\"{style}\" points=\"{Points(points)}\"/>");

    public Html Render(string style = "chart") =>
        new Html().Add(
            $"<svg class=\"{style}\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{_title}. {_description}\" "
                + $"xmlns=\"http://www.w3.org/2000/svg\"><title>{_title}</title><desc>{_description}</desc>{_inside}</svg>"
        );

    /// <summary>About how wide a text is in a chart's type.</summary>
    // Only a browser can measure a text; an average width has to do.
    public static double TextWidth(string text) => text.Length * CharacterWidth;

    private static string Points(IEnumerable<(double X, double Y)> points) =>
        // A tenth of a pixel is not seen; more digits would only make the page larger.
        string.Join(
            ' ',
            points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y)).Select(p => FormattableString.Invariant($"{p.X:0.#},{p.Y:0.#}"))
        );

    /// <summary>Markup for this chart, escaped as in <see cref="Html"/>.</summary>
    [System.Runtime.CompilerServices.InterpolatedStringHandler]
    internal readonly ref struct Drawing(int literalLength, int formattedCount, Chart chart)
    {
        private readonly Html.Markup _markup = new(literalLength, formattedCount, chart._inside);

        public void AppendLiteral(string markup) => _markup.AppendLiteral(markup);

        public void AppendFormatted(string? text) => _markup.AppendFormatted(text);

        public void AppendFormatted(Html part) => _markup.AppendFormatted(part);

        public void AppendFormatted(int number) => _markup.AppendFormatted(number);

        public void AppendFormatted(double coordinate) => _markup.AppendFormatted(coordinate);
    }
}
