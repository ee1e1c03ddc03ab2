using System.Globalization;
using TransferPipeline.Heads;

namespace TransferPipeline.Evaluation;

/// <summary>Values of one numeric option among which a comparison chooses.</summary>
/// <param name="Option">Name of the option, such as <c>C</c>.</param>
/// <param name="Values">Values to try, ascending, each once; of a coarse-to-fine search the coarse ones.</param>
/// <param name="CoarseToFine">Halve the spacing around the best value until there are eight values a decade, as CLIP's linear probe does (Radford et al. 2021, appendix A.3).</param>
public sealed record Sweep(string Option, IReadOnlyList<double> Values, bool CoarseToFine = false)
{
    private const string CoarseToFineWord = "coarse-to-fine";
    private static readonly string[] Functions = ["logspace", "linspace"];

    /// <summary>Whether a value is meant as a sweep: <c>[0.1, 1]</c>, <c>logspace(-4, 2, 13)</c>, <c>linspace(0, 1, 5)</c> or <c>coarse-to-fine</c>.</summary>
    public static bool IsSweep(string text)
    {
        var trimmed = text.Trim();
        return trimmed.StartsWith('[') || trimmed == CoarseToFineWord || (trimmed.EndsWith(')') && trimmed.Contains('('));
    }

    /// <exception cref="UsageException">The text is no sweep, or a value does not suit the option.</exception>
    public static Sweep Parse(IHeadTrainer trainer, string optionName, string text)
    {
        var option = trainer.Options.FirstOrDefault(o => o.Name == optionName)
            ?? throw new UsageException($"{trainer.Name} has no option '{optionName}'{NearestName.Hint(optionName, trainer.Options.Select(o => o.Name))} (options: {string.Join(", ", trainer.Options.Select(o => o.Name))})");
        if (option.Kind is not (HeadOptionKind.Number or HeadOptionKind.Integer))
            Throw.Usage($"{trainer.Name}: {optionName} cannot be swept: its values are not numbers; list the head twice instead");
        text = text.Trim();
        if (text == CoarseToFineWord)
        {
            if (option.Kind != HeadOptionKind.Number)
                Throw.Usage($"{trainer.Name}: {optionName} takes whole numbers and has no coarse-to-fine search; list the values, such as {optionName}=[1,3,5]");
            return new(optionName, [.. Enumerable.Range(-3, 7).Select(e => PowerOfTen(2 * e)).Where(v => v >= option.Minimum && v <= option.Maximum)], CoarseToFine: true);
        }

        var values = text.StartsWith('[') ? List(trainer, optionName, text) : Function(trainer, optionName, text);
        if (option.Kind == HeadOptionKind.Integer && !text.StartsWith('['))
            values = values.Select(v => Math.Round(v));
        var distinct = values.Distinct().Order().ToArray();
        foreach (var value in distinct)
            HeadSettings.Create(trainer, new Dictionary<string, string> { [optionName] = value.ToString("R", CultureInfo.InvariantCulture) });
        return new(optionName, distinct);
    }

    private static IEnumerable<double> List(IHeadTrainer trainer, string option, string text)
    {
        if (!text.EndsWith(']'))
            Throw.Usage($"{trainer.Name}: {option} is '{text}', whose bracket is not closed");
        var items = text[1..^1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return items.Length == 0
            ? throw new UsageException($"{trainer.Name}: {option} is an empty list, expected values such as [0.01, 0.1, 1]")
            : items.Select(item => Number(trainer, option, item)).ToArray();
    }

    private static double[] Function(IHeadTrainer trainer, string option, string text)
    {
        var open = text.IndexOf('(');
        var name = open < 0 ? text : text[..open].Trim();
        if (open < 0 || !text.EndsWith(')') || !Functions.Contains(name))
            Throw.Usage($"{trainer.Name}: {option} is '{text}', expected [values], logspace(from, to, count), linspace(from, to, count) or {CoarseToFineWord}{NearestName.Hint(name, [.. Functions, CoarseToFineWord])}");
        var arguments = text[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries);
        if (arguments.Length != 3 || !int.TryParse(arguments[2], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > 1000)
            throw new UsageException($"{trainer.Name}: {option} is '{text}', expected {name}(from, to, count) with a count from 1 to 1000");
        var (from, to) = (Number(trainer, option, arguments[0]), Number(trainer, option, arguments[1]));
        var steps = Enumerable.Range(0, count).Select(i => count == 1 ? from : from + ((to - from) * i / (count - 1)));
        return [.. name == "logspace" ? steps.Select(PowerOfTen) : steps];
    }

    /// <summary>10^e; exact decimal literals for whole e, so that logspace(-2, 0, 3) is 0.01, 0.1, 1.</summary>
    internal static double PowerOfTen(double exponent) =>
        exponent == Math.Round(exponent) && Math.Abs(exponent) < 300
            ? double.Parse(FormattableString.Invariant($"1e{(int)exponent}"), CultureInfo.InvariantCulture)
            : Math.Pow(10, exponent);

    private static double Number(IHeadTrainer trainer, string option, string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? value
            : throw new UsageException($"{trainer.Name}: '{text}' in the values of {option} is not a number");
}
