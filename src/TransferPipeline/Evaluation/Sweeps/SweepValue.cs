using System.Globalization;

namespace TransferPipeline.Evaluation;

/// <summary>A value of a swept option: a number, or a name such as those of <c>scaling</c>.</summary>
internal readonly record struct SweepValue
{
    private SweepValue(double number, string? name) => (Number, Name) = (number, name);

    /// <summary>The number; NaN of a name.</summary>
    public double Number { get; }

    /// <summary>The name; null of a number.</summary>
    public string? Name { get; }

    /// <summary>The value as an option takes it.</summary>
    public string Text => Name ?? Number.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A number as a value.</summary>
    public static implicit operator SweepValue(double number) => new(number, null);

    /// <summary>A name as a value.</summary>
    // Records compare numbers by Equals, for which NaN equals NaN: two names are equal by their text.
    public static implicit operator SweepValue(string name) => new(double.NaN, name);

    /// <inheritdoc/>
    public override string ToString() => Text;
}
