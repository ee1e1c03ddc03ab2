using System.Globalization;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>Values of one option among which a comparison chooses: numbers, or names such as those of <c>scaling</c>.</summary>
/// <param name="Option">Name of the option, such as <c>C</c>.</param>
/// <param name="Values">Values to try, ascending, each once; of a coarse-to-fine search the coarse ones; of names their positions in <see cref="Names"/>.</param>
/// <param name="CoarseToFine">Halve the spacing around the best value until there are eight values a decade, as CLIP's linear probe does (Radford et al. 2021, appendix A.3).</param>
public sealed record Sweep(string Option, IReadOnlyList<double> Values, bool CoarseToFine = false)
{
    /// <summary>The values of an option that takes no numbers, each once, in the order given; empty where <see cref="Values"/> are numbers.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>The settings with one of <see cref="Values"/> in them.</summary>
    public HeadSettings Apply(HeadSettings settings, double value) =>
        Names.Count > 0 ? settings.WithText(Option, Names[(int)value]) : settings.With(Option, value);

    /// <summary>10^e; exact decimal literals for whole e, so that logspace(-2, 0, 3) is 0.01, 0.1, 1.</summary>
    internal static double PowerOfTen(double exponent) =>
        exponent == Math.Round(exponent) && Math.Abs(exponent) < 300
            ? double.Parse(FormattableString.Invariant($"1e{(int)exponent}"), CultureInfo.InvariantCulture)
            : Math.Pow(10, exponent);
}
