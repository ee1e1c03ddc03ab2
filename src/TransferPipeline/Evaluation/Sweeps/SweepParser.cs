using System.Globalization;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>
/// The text form of sweeps: <c>[0.1, 1]</c>, <c>[uniform, distance]</c>, <c>[(512,128), (256)]</c>, <c>logspace(-4, 2, 13)</c>,
/// <c>linspace(0, 1, 5)</c> or <c>coarse-to-fine</c>.
/// </summary>
internal static class SweepParser
{
    private const string CoarseToFineWord = "coarse-to-fine";
    private static readonly string[] Functions = ["logspace", "linspace"];

    /// <summary>Whether a value is meant as a sweep; brackets always are, since no single value has them.</summary>
    public static bool IsSweep(DeclaredOption? option, string text)
    {
        var trimmed = text.Trim();
        // Without its end too: YAML ends a value in braces at its first comma.
        var isFunction =
            trimmed.Contains('(')
            && (trimmed.EndsWith(')') || Array.Exists(Functions, f => trimmed.StartsWith(f, StringComparison.Ordinal)));
        // Free text can contain brackets or be any word, so there only the two functions make a sweep.
        return trimmed.StartsWith('[')
            || (
                IsText(option)
                    ? isFunction && Array.Exists(Functions, f => trimmed.StartsWith(f, StringComparison.Ordinal))
                    : isFunction || trimmed == CoarseToFineWord
            );
    }

    /// <exception cref="UsageException">The text is no sweep, or a value does not suit the option.</exception>
    public static Sweep Parse(IHeadTrainer trainer, string optionName, string text)
    {
        var option = HeadOptions.Find(trainer, optionName);
        text = text.Trim();
        return text == CoarseToFineWord ? CoarseToFine(trainer, option)
            : !text.StartsWith('[') ? Function(trainer, option, text)
            : Items(trainer, optionName, text) is var items && AreNumbers(option, items)
                ? Numbers(trainer, option, items.Select(i => Number(trainer, optionName, i)))
            : Names(trainer, option, items);
    }

    private static Sweep CoarseToFine(IHeadTrainer trainer, DeclaredOption option)
    {
        if (option.Kind != OptionKind.Number)
            Throw.Usage(
                $"{trainer.Name}: {option.Name} {Takes(option)} and has no coarse-to-fine search; list the values, such as "
                    + $"{option.Name}=[{Example(option)}]"
            );
        // CLIP's range, 1e-6 to 1e6, without what the option does not take.
        return new(
            option.Name,
            [
                .. Enumerable
                    .Range(-3, 7)
                    .Select(e => Sweep.PowerOfTen(2 * e))
                    .Where(v => v >= option.Min && v <= option.Max)
                    .Select(v => (SweepValue)v),
            ],
            CoarseToFine: true
        );
    }

    private static Sweep Function(IHeadTrainer trainer, DeclaredOption option, string text)
    {
        var open = text.IndexOf('(');
        var name = open < 0 ? text : text[..open].Trim();
        if (open >= 0 && !text.EndsWith(')'))
            Throw.Usage(
                $"{trainer.Name}: {option.Name} is '{text}', whose bracket is not closed; in YAML a value with commas stands in quotes"
            );
        if (open < 0 || !Functions.Contains(name))
            Throw.Usage(
                $"{trainer.Name}: {option.Name} is '{text}', expected [values], logspace(from, to, count), linspace(from, to, count) "
                    + $"or {CoarseToFineWord}{NearestName.Hint(name, [.. Functions, CoarseToFineWord])}"
            );
        if (option.Kind is OptionKind.Choice or OptionKind.Flag)
            Throw.Usage(
                $"{trainer.Name}: {option.Name} {Takes(option)}, not numbers; list them, such as {option.Name}=[{Example(option)}]"
            );
        var arguments = text[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries);
        if (
            arguments.Length != 3
            || !int.TryParse(arguments[2], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || count is < 1 or > 1000
        )
            throw new UsageException(
                $"{trainer.Name}: {option.Name} is '{text}', expected {name}(from, to, count) with a count from 1 to 1000"
            );
        var (from, to) = (Number(trainer, option.Name, arguments[0]), Number(trainer, option.Name, arguments[1]));
        var steps = Enumerable.Range(0, count).Select(i => count == 1 ? from : from + ((to - from) * i / (count - 1)));
        if (name == "logspace")
            steps = steps.Select(Sweep.PowerOfTen);
        // Neighboring steps can round to the same whole number; Numbers keeps each value once.
        return Numbers(trainer, option, option.Kind == OptionKind.Integer ? steps.Select(v => Math.Round(v)) : steps);
    }

    private static Sweep Numbers(IHeadTrainer trainer, DeclaredOption option, IEnumerable<double> values)
    {
        double[] distinct = [.. values.Distinct().Order()];
        // Checked before anything is trained:
        // the last value of a list would otherwise fail after the fits of all others.
        foreach (var value in distinct)
            option.Check(trainer.Name, value.ToString("R", CultureInfo.InvariantCulture));
        return new(option.Name, [.. distinct.Select(v => (SweepValue)v)]);
    }

    private static Sweep Names(IHeadTrainer trainer, DeclaredOption option, string[] names)
    {
        // In one form: 0.1 and 0.10, true and yes are one value to try.
        var read = names.Select(name => option.TextOf(HeadOptions.Parse(trainer, new Dictionary<string, string> { [option.Name] = name })));
        return new(option.Name, [.. read.Distinct(StringComparer.Ordinal).Select(n => (SweepValue)n)]);
    }

    /// <summary>The items of <c>[a, (b,c), "d,e"]</c> without what holds those with commas together.</summary>
    private static string[] Items(IHeadTrainer trainer, string option, string text)
    {
        if (!text.EndsWith(']'))
            Throw.Usage($"{trainer.Name}: {option} is '{text}', whose bracket is not closed");
        var list = text[1..^1].Trim();
        // Python and YAML allow one comma behind the last item.
        string[] written = list is "" or "," ? [] : [.. HeadListParser.SplitOutsideBrackets(list.EndsWith(',') ? list[..^1] : list)];
        if (written.Contains(""))
            Throw.Usage($"{trainer.Name}: {option} is '{text}', which has an empty item; expected a value");
        // scikit-learn reads [16, 8] as the two layers of one network, and any other option here as two values to try.
        if (
            trainer.Options.First(o => o.Name == option).Kind == OptionKind.Integers
            && written.Length > 1
            && Array.TrueForAll(written, i => TryNumber(i, out _))
        )
            Throw.Usage(
                $"{trainer.Name}: {option} is '{text}', which can mean one network of {written.Length} layers or {written.Length} networks "
                    + $"of one layer; write ({string.Join(",", written)}) for the one network (in YAML in quotes), or "
                    + $"[{string.Join(",", written.Select(i => $"({i})"))}] to try each"
            );
        string[] items = [.. written.Select(Unwrap)];
        return items.Length > 0
            ? items
            : throw new UsageException(
                $"{trainer.Name}: {option} is an empty list, expected values such as "
                    + $"[{Example(trainer.Options.First(o => o.Name == option))}]"
            );
    }

    // Python writes a tuple of one element as (256,).
    private static string Unwrap(string item) =>
        item is ['(', .., ')'] or ['[', .., ']'] or ['"', .., '"'] or ['\'', .., '\''] ? item[1..^1].Trim().TrimEnd(',') : item;

    /// <summary>
    /// An option of free text, such as gamma or shrinkage, takes words or numbers: a list of numbers alone has an axis of numbers.
    /// </summary>
    private static bool AreNumbers(DeclaredOption option, string[] items) =>
        option.Kind switch
        {
            OptionKind.Number or OptionKind.Integer => true,
            _ when IsText(option) => Array.TrueForAll(items, i => TryNumber(i, out _)),
            _ => false,
        };

    /// <summary>Widths of layers are text too: a list of lists has them as its items.</summary>
    private static bool IsText(DeclaredOption? option) => option?.Kind is OptionKind.Text or OptionKind.Integers;

    private static double Number(IHeadTrainer trainer, string option, string text) =>
        TryNumber(text, out var value)
            ? value
            : throw new UsageException($"{trainer.Name}: '{text}' in the values of {option} is not a number");

    private static bool TryNumber(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    private static string Takes(DeclaredOption option) =>
        option.Kind switch
        {
            OptionKind.Integer => "takes whole numbers",
            _ when IsText(option) => "takes text",
            _ => "takes names",
        };

    private static string Example(DeclaredOption option) =>
        option.Kind switch
        {
            OptionKind.Integer => "1,3,5",
            OptionKind.Choice => string.Join(",", option.Choices),
            OptionKind.Flag => "true,false",
            _ when IsText(option) => option.DefaultText,
            _ => "0.01,0.1,1",
        };
}
