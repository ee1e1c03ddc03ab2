using System.Globalization;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>How many columns a node of <see cref="Forest"/> considers: a number, or a function of the number of columns.</summary>
public readonly record struct MaxFeatures : IOptionValue<MaxFeatures>
{
    private static readonly string[] Names = ["sqrt", "log2", "all"];

    /// <summary>A number of columns, or minus the place of a name.</summary>
    private readonly int _value;

    // default(MaxFeatures) has to be valid, so 0 is sqrt and the other names are negative.
    private MaxFeatures(int value) => _value = value;

    /// <summary>The square root of the number of columns; the default.</summary>
    public static MaxFeatures Sqrt => default;

    /// <summary>The binary logarithm of the number of columns.</summary>
    public static MaxFeatures Log2 { get; } = new(-1);

    /// <summary>All columns.</summary>
    public static MaxFeatures All { get; } = new(-2);

    /// <summary>The number of columns; null where it follows from the vectors.</summary>
    public int? Count => _value > 0 ? _value : null;

    static string IOptionValue<MaxFeatures>.Expected => "sqrt, log2, all or a whole number of at least 1";

    static IReadOnlyList<string> IOptionValue<MaxFeatures>.Words => Names;

    /// <summary>A number of columns, at least 1.</summary>
    /// <exception cref="UsageException">It is less.</exception>
    public static implicit operator MaxFeatures(int count) =>
        count >= 1 ? new(count) : throw new UsageException($"max_features is {count}, expected a number of at least 1");

    static bool IOptionValue<MaxFeatures>.TryParse(string text, out MaxFeatures value)
    {
        var name = Array.IndexOf(Names, text);
        var isCount = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= 1;
        value = new(isCount ? count : -Math.Max(0, name));
        return isCount || name >= 0;
    }

    /// <summary>The number for vectors of so many values, at least 1.</summary>
    internal int Of(int columns) =>
        Math.Max(
            1,
            Count
                ?? (
                    this == All ? columns
                    : this == Log2 ? (int)Math.Log2(columns)
                    : (int)Math.Sqrt(columns)
                )
        );

    /// <summary>The name or the number.</summary>
    public override string ToString() => Count?.ToString(CultureInfo.InvariantCulture) ?? Names[-_value];
}
