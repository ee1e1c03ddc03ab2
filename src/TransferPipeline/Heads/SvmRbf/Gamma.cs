using System.Globalization;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>The factor of the squared distance in <see cref="SvmRbf"/>'s kernel: a number, or SVC's rules that find one.</summary>
public readonly record struct Gamma : IOptionValue<Gamma>
{
    // 0 and infinity are no valid factors and stand for the rules: default(Gamma) has to be valid.
    private readonly double _value;

    private Gamma(double value) => _value = value;

    /// <summary>1 / (values per vector x variance of all values); the default.</summary>
    public static Gamma Scale => default;

    /// <summary>1 / values per vector.</summary>
    public static Gamma Auto { get; } = new(double.PositiveInfinity);

    /// <summary>The number, greater than 0; null where a rule finds it.</summary>
    public double? Value => _value > 0 && double.IsFinite(_value) ? _value : null;

    static string IOptionValue<Gamma>.Expected => "scale, auto or a number greater than 0";

    static IReadOnlyList<string> IOptionValue<Gamma>.Words => ["scale", "auto"];

    /// <summary>A number greater than 0.</summary>
    /// <exception cref="UsageException">It is not.</exception>
    public static implicit operator Gamma(double value) =>
        value > 0 && double.IsFinite(value)
            ? new(value)
            : throw new UsageException(FormattableString.Invariant($"gamma is {value}, expected a number greater than 0"));

    static bool IOptionValue<Gamma>.TryParse(string text, out Gamma value)
    {
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number);
        value =
            text == "auto" ? Auto
            : isNumber ? new(number)
            : Scale;
        return text is "auto" or "scale" || (isNumber && value.Value is not null);
    }

    /// <summary><c>scale</c>, <c>auto</c> or the number.</summary>
    public override string ToString() => Value?.ToString("R", CultureInfo.InvariantCulture) ?? (this == Auto ? "auto" : "scale");
}
