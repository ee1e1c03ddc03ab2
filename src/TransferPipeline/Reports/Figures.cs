using System.Globalization;
using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>How numbers are written: the same everywhere on a page, and rounded only here.</summary>
internal static class Figures
{
    /// <summary>Stands for a figure that there is none of.</summary>
    public const string None = "–";

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>Accuracy and other rates of 0..1, three decimals.</summary>
    public static string Rate(double value) => double.IsFinite(value) ? value.ToString("F3", Culture) : None;

    /// <summary>Rates of 0..1 as whole percent; what is near all or nothing is not called so.</summary>
    public static string Percent(double value) =>
        !double.IsFinite(value) ? None
        : value is > 0 and < 0.005 ? $"< {Whole(0.01)}"
        : value is >= 0.995 and < 1 ? $"> {Whole(0.99)}"
        : Whole(value);

    private static string Whole(double rate) => rate.ToString("P0", Culture).Replace(" ", "\u202F", StringComparison.Ordinal);

    // A narrow space between thousands: a comma would be read as a decimal sign where numbers are written with one.
    public static string Count(long value) => value.ToString("N0", Culture).Replace(",", "\u202F", StringComparison.Ordinal);

    /// <summary>Three significant digits, powers of ten outside 0.001 .. 99,999.</summary>
    public static string Value(double value)
    {
        var size = Math.Abs(value);
        return !double.IsFinite(value) ? None
            : size == 0 ? "0"
            : size < 1e-3 || size >= 1e5 ? value.ToString("0.##e0", Culture)
            : size >= 100 ? value.ToString("0", Culture)
            : value.ToString(
                size >= 10 ? "0.#"
                    : size >= 1 ? "0.##"
                    : size >= 0.1 ? "0.###"
                    : "0.####",
                Culture
            );
    }

    /// <summary>A value of a sweep: a number or a name.</summary>
    public static string Value(SweepValue value) => value.Name ?? Value(value.Number);

    /// <summary>A p-value: below a thousandth only that.</summary>
    public static string PValue(double p) =>
        !double.IsFinite(p) ? None
        : p < 0.001 ? "< 0.001"
        : p.ToString("F3", Culture);

    /// <summary>A time with its unit, three significant digits.</summary>
    // The first two limits are where three digits of the smaller unit would round up to 1000.
    public static string Seconds(double seconds) =>
        !double.IsFinite(seconds) ? None
        : seconds < 0.9995e-3 ? $"{Digits(seconds * 1e6)} µs"
        : seconds < 0.9995 ? $"{Digits(seconds * 1e3)} ms"
        : seconds < 119.5 ? $"{Digits(seconds)} s"
        : seconds < 7170 ? $"{Digits(seconds / 60)} min"
        : $"{Digits(seconds / 3600)} h";

    /// <summary>The exact value for machines: as in the JSON.</summary>
    public static string Exact(double value) => double.IsFinite(value) ? value.ToString("R", Culture) : "";

    /// <summary>A name cut to so many characters, for places that cannot wrap.</summary>
    public static string Short(string name, int most)
    {
        if (name.Length <= most)
            return name;
        // A cut between the halves of a surrogate pair would leave half a character.
        var keep = char.IsHighSurrogate(name[most - 2]) ? most - 2 : most - 1;
        return name[..keep] + "…";
    }

    private static string Digits(double value) =>
        value.ToString(
            value >= 99.95 ? "0"
                : value >= 9.995 ? "0.0"
                : "0.00",
            Culture
        );
}
