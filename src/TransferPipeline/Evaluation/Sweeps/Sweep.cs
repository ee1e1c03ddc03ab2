using System.Globalization;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>Values of one option among which a comparison chooses: numbers, or names such as those of <c>scaling</c>.</summary>
/// <param name="Option">Name of the option, such as <c>C</c>.</param>
/// <param name="Values">Values to try, each once: numbers ascending, names in the order given; of a coarse-to-fine search the coarse
/// ones.</param>
/// <param name="CoarseToFine">Halve the spacing around the best value until there are eight values per decade, as CLIP's linear probe does
/// (Radford et al. 2021, appendix A.3).</param>
internal sealed record Sweep(string Option, IReadOnlyList<SweepValue> Values, bool CoarseToFine = false)
{
    /// <summary>Whether the values are names, which have no order.</summary>
    public bool HasNames => Values.Any(v => v.Name is not null);

    /// <summary>The options with one of <see cref="Values"/> in them.</summary>
    public HeadOptions Apply(HeadOptions options, SweepValue value) => options.With(Option, value.Text);

    /// <summary>Where a value stands: numbers by their size, names by their place in <see cref="Values"/>.</summary>
    internal double Place(SweepValue value)
    {
        if (value.Name is null)
            return value.Number;
        var place = 0;
        // It ends: numbers alone are refined, so a name is always one of the values.
        while (Values[place] != value)
            place++;
        return place;
    }

    /// <summary>10^e; exact decimal literals for whole e, so that logspace(-2, 0, 3) is 0.01, 0.1, 1.</summary>
    internal static double PowerOfTen(double exponent) =>
        exponent == Math.Round(exponent) && Math.Abs(exponent) < 300
            ? double.Parse(FormattableString.Invariant($"1e{(int)exponent}"), CultureInfo.InvariantCulture)
            : Math.Pow(10, exponent);
}
