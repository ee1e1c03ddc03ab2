using System.Globalization;

namespace TransferPipeline.Heads.Common;

/// <summary>Type of an option's value.</summary>
public enum HeadOptionKind
{
    Number,
    Integer,
    Flag,
    Choice,

    /// <summary>Free text whose grammar the description gives (hidden sizes "512,128").</summary>
    Text,
}

/// <summary>One option of a head, with scikit-learn's (or the library's) name.</summary>
/// <param name="Default">Default as text.</param>
public sealed record HeadOption(string Name, HeadOptionKind Kind, string Default, string Description)
{
    /// <summary>Smallest valid number; <see cref="ExclusiveMinimum"/> excludes it.</summary>
    public double Minimum { get; init; } = double.NegativeInfinity;

    public double Maximum { get; init; } = double.PositiveInfinity;

    public bool ExclusiveMinimum { get; init; }

    /// <summary>The valid words of a choice.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];
}

/// <summary>Values of a head's options, checked against their declarations; what is not given has its default.</summary>
public sealed class HeadSettings
{
    private readonly SortedDictionary<string, string> _values;

    private HeadSettings(string head, SortedDictionary<string, string> values) => (Head, _values) = (head, values);

    public string Head { get; }

    /// <summary>All options in ordinal order of their names, as text.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <exception cref="UsageException">A name is unknown (the nearest is suggested) or a value is out of range.</exception>
    public static HeadSettings Create(IHeadTrainer trainer, IReadOnlyDictionary<string, string>? given = null)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in trainer.Options)
            values[option.Name] = option.Default;
        foreach (var (name, value) in given ?? new Dictionary<string, string>())
        {
            var option = trainer.Options.FirstOrDefault(o => o.Name == name)
                ?? throw new UsageException($"{trainer.Name} has no option '{name}'{NearestName.Hint(name, trainer.Options.Select(o => o.Name))} (options: {string.Join(", ", trainer.Options.Select(o => o.Name))})");
            Check(trainer.Name, option, value);
            values[name] = option.Kind == HeadOptionKind.Flag ? value.ToLowerInvariant() : value;
        }

        return new(trainer.Name, values);
    }

    /// <summary>The same settings with one value replaced.</summary>
    public HeadSettings With(string name, double value) =>
        new(Head, new(_values, StringComparer.Ordinal) { [name] = value.ToString("R", CultureInfo.InvariantCulture) });

    /// <summary>The same settings with one text or word replaced, which is not checked.</summary>
    public HeadSettings WithText(string name, string value) => new(Head, new(_values, StringComparer.Ordinal) { [name] = value });

    public double Number(string name) => double.Parse(_values[name], CultureInfo.InvariantCulture);

    public int Integer(string name) => int.Parse(_values[name], CultureInfo.InvariantCulture);

    public bool Flag(string name) => bool.Parse(_values[name]);

    public string Text(string name) => _values[name];

    /// <summary>Refuses a value of an option, for values that are not given as settings.</summary>
    /// <exception cref="UsageException">It is out of range.</exception>
    internal static void Check(IHeadTrainer trainer, string name, double value) =>
        Check(trainer.Name, trainer.Options.First(o => o.Name == name), value.ToString("R", CultureInfo.InvariantCulture));

    private static void Check(string head, HeadOption option, string value)
    {
        var expected = option.Kind switch
        {
            HeadOptionKind.Integer => int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var i) && InRange(option, i) ? null : "a whole number",
            HeadOptionKind.Number => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) && double.IsFinite(d) && InRange(option, d) ? null : "a number",
            HeadOptionKind.Flag => bool.TryParse(value, out _) ? null : "true or false",
            HeadOptionKind.Choice => option.Choices.Contains(value) ? null : "one of " + string.Join(", ", option.Choices) + NearestName.Hint(value, option.Choices),
            _ => null,
        };
        if (expected is not null)
            throw new UsageException($"{head}: {option.Name} is '{value}', expected {expected}{Range(option)}");
    }

    private static bool InRange(HeadOption option, double value) =>
        value <= option.Maximum && (option.ExclusiveMinimum ? value > option.Minimum : value >= option.Minimum);

    private static string Range(HeadOption option)
    {
        if (option.Kind is not (HeadOptionKind.Integer or HeadOptionKind.Number))
            return "";
        var text = double.IsNegativeInfinity(option.Minimum) ? "" : FormattableString.Invariant($" {(option.ExclusiveMinimum ? "greater than" : "of at least")} {option.Minimum}");
        return double.IsPositiveInfinity(option.Maximum) ? text : text + FormattableString.Invariant($"{(text == "" ? "" : " and")} of at most {option.Maximum}");
    }
}
