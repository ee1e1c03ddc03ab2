namespace TransferPipeline.Reports;

/// <summary>Maps values to pixels, linearly or by their logarithm, with round ticks.</summary>
internal sealed class Axis
{
    private readonly double _low;
    private readonly double _high;
    private readonly double _from;
    private readonly double _to;
    private readonly bool _log;

    private Axis(double low, double high, double from, double to, bool log, IReadOnlyList<double> ticks) =>
        (_low, _high, _from, _to, _log, Ticks) = (low, high, from, to, log, ticks);

    /// <summary>Values at which a tick stands, ascending.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>Pixel of a value.</summary>
    public double At(double value)
    {
        var share = _log ? LogRatio(value, _low) / LogRatio(_high, _low) : (value - _low) / (_high - _low);
        // A value beyond the axis is drawn just outside of it, not somewhere over the page.
        return _from + (Math.Clamp(share, -0.02, 1.02) * (_to - _from));
    }

    /// <summary>The same axis with ticks at the values themselves, when they are few.</summary>
    // The labels of more than eight ticks would run into each other in a narrow chart.
    public Axis WithTicksAt(IReadOnlyList<double> values) => values.Count > 8 ? this : new(_low, _high, _from, _to, _log, values);

    /// <summary>The same axis without ticks between whole numbers.</summary>
    public Axis WithWholeTicks() => new(_low, _high, _from, _to, _log, [.. Ticks.Where(double.IsInteger)]);

    /// <summary>Places for 0 .. count - 1, evenly spaced, each with a tick.</summary>
    public static Axis Places(int count, double from, double to) =>
        new(-0.5, count - 0.5, from, to, log: false, [.. Enumerable.Range(0, count).Select(i => (double)i)]);

    /// <param name="margin">Room at both ends, as a share of the values' range.</param>
    /// <param name="floor">The axis does not go below it.</param>
    public static Axis Linear(
        IEnumerable<double> values,
        double from,
        double to,
        double margin = 0.06,
        double floor = double.NegativeInfinity,
        double ceiling = double.PositiveInfinity,
        int ticks = 5
    )
    {
        var finite = values.Where(double.IsFinite).DefaultIfEmpty(0).ToArray();
        var (low, high) = (finite.Min(), finite.Max());
        // A single value has no range, and At would divide by zero.
        if (high - low < 1e-9 * Math.Max(1, Math.Abs(high)))
        {
            // 0.05 suits accuracies. Beside a small value, such as a rate of 0.001, it would hide the value at 0; from about 1e15 on it
            // is less than the distance of neighbouring numbers, and the range would still be empty.
            var half = Math.Abs(high) < 1e-9 ? 0.05 : Math.Max(Math.Min(0.05, Math.Abs(high) / 2), 1e-12 * Math.Abs(high));
            (low, high) = (low - half, high + half);
        }

        var room = (high - low) * margin;
        low = Math.Max(floor, low - room);
        high = Math.Min(ceiling, high + room);
        return new(low, high, from, to, log: false, RoundTicks(low, high, ticks));
    }

    /// <summary>For values above 0; the others do not count.</summary>
    public static Axis Logarithmic(IEnumerable<double> values, double from, double to, double margin = 0.08)
    {
        var positive = values.Where(v => double.IsFinite(v) && v > 0).DefaultIfEmpty(1).ToArray();
        var (low, high) = (positive.Min(), positive.Max());
        // Spread over the whole axis, times that hardly differ would look far apart.
        if (high / low < 2)
            (low, high) = (low / 1.5, high * 1.5);
        var room = double.IsFinite(high / low) ? Math.Pow(high / low, margin) : Math.Pow(10, LogRatio(high, low) * margin);
        (low, high) = (Math.Max(low / room, double.Epsilon), Math.Min(high * room, double.MaxValue));
        return new(low, high, from, to, log: true, LogTicks(low, high));
    }

    /// <summary>Logarithmic where the values span more than a factor of 20 and are all above 0.</summary>
    public static Axis Fitting(IReadOnlyList<double> values, double from, double to) =>
        values.Count > 0 && values.Min() > 0 && values.Max() / values.Min() > 20
            ? Logarithmic(values, from, to, 0.04)
            : Linear(values, from, to, 0.04);

    /// <summary>Decades between two values above 0.</summary>
    private static double LogRatio(double high, double low) =>
        // A ratio of more than 308 decades is no number.
        double.IsFinite(high / low)
        && high / low > 0
            ? Math.Log10(high / low)
            : Math.Log10(high) - Math.Log10(low);

    private static List<double> RoundTicks(double low, double high, int about)
    {
        var rough = (high - low) / about;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = new[] { 1, 2, 5, 10 }.First(m => m * power >= rough * 0.999) * power;
        var ticks = new List<double>();
        // A millionth of a step, so that rounding loses no tick at either end of the axis.
        for (var i = (long)Math.Ceiling((low / step) - 1e-6); i * step <= high + (step * 1e-6); i++)
            // Three times 0.1 is 0.30000000000000004.
            ticks.Add(Math.Round(i * step, 12));
        return ticks;
    }

    /// <summary>Decades, every n-th when there are many, with 2 and 5 between when there are few.</summary>
    private static List<double> LogTicks(double low, double high)
    {
        var (first, last) = ((int)Math.Floor(Math.Log10(low)), (int)Math.Ceiling(Math.Log10(high)));
        var every = Math.Max(1, (int)Math.Ceiling((last - first) / 6.0));
        int[] within =
            LogRatio(high, low) < 1.3 ? [1, 2, 5]
            : LogRatio(high, low) < 2.4 ? [1, 3]
            : [1];
        var ticks = new List<double>();
        for (var decade = first; decade <= last; decade++)
        {
            if (decade % every == 0)
                ticks.AddRange(within.Select(m => m * Math.Pow(10, decade)).Where(v => v >= low * 0.999 && v <= high * 1.001));
        }

        return ticks;
    }
}
