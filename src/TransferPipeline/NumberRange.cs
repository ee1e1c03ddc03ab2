using System.Globalization;

namespace TransferPipeline;

/// <summary>The numbers that an option or a key takes: read from text, and in words for messages.</summary>
internal readonly record struct NumberRange(double Min, double Max, bool ExclusiveMin = false)
{
    public static readonly NumberRange All = new(double.NegativeInfinity, double.PositiveInfinity);

    public bool Contains(double value) => value <= Max && (ExclusiveMin ? value > Min : value >= Min);

    /// <summary>Null for a text that is no whole number of the range.</summary>
    public int? Whole(string text) => TryWhole(text, out var value) && Contains(value) ? value : null;

    /// <summary>Null for a text that is no finite number of the range.</summary>
    public double? Number(string text) => TryNumber(text, out var value) && double.IsFinite(value) && Contains(value) ? value : null;

    /// <summary>What <see cref="Whole"/> would have taken in the place of a text.</summary>
    public string ExpectedWhole(string text)
    {
        var digits = text.AsSpan().Trim().TrimStart("+-");
        // The limits of an int are named where they are exceeded alone: nobody else meets them.
        return digits.Length > 0 && !digits.ContainsAnyExceptInRange('0', '9') && !TryWhole(text, out _)
            ? $"a whole number{(this with { Min = Math.Max(Min, int.MinValue), Max = Math.Min(Max, int.MaxValue) }).Limits}"
            : $"a whole number{Limits}";
    }

    /// <summary>What <see cref="Number"/> would have taken in the place of a text.</summary>
    public string ExpectedNumber(string text) =>
        TryNumber(text, out var value) && !double.IsFinite(value) ? $"a finite number{Limits}" : $"a number{Limits}";

    private string Limits =>
        FormattableString.Invariant(
            (double.IsFinite(Min), double.IsFinite(Max)) switch
            {
                (false, false) => $"",
                (false, true) => $" of at most {Max}",
                (true, false) when ExclusiveMin => $" greater than {Min}",
                (true, false) => $" of at least {Min}",
                _ when ExclusiveMin => $" greater than {Min} and of at most {Max}",
                _ => $" from {Min} to {Max}",
            }
        );

    private static bool TryWhole(string text, out int value) =>
        int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out value);

    // Without separators of thousands: as such a decimal comma would vanish, and 0,001 would be 1.
    private static bool TryNumber(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
}
