using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;

namespace TransferPipeline.Heads.Common;

/// <summary>One option of a head as its record declares it by <see cref="OptionAttribute"/>.</summary>
internal sealed class HeadOption
{
    // Attributes are read once per record type; the defaults belong to each record and are read each time.
    private static readonly ConcurrentDictionary<Type, (PropertyInfo Property, OptionAttribute Declaration)[]> Declared = new();

    private readonly PropertyInfo _property;
    private readonly OptionText? _text;

    private HeadOption(PropertyInfo property, OptionAttribute declaration, HeadOptions defaults)
    {
        (_property, Name, Description) = (property, declaration.Name, declaration.Help);
        (Minimum, Maximum, ExclusiveMinimum) = (declaration.Min, declaration.Max, declaration.ExclusiveMin);
        Kind = KindOf(property);
        _text = OptionText.Of(property.PropertyType);
        Choices = Kind == OptionKind.Choice ? Array.ConvertAll(Enum.GetNames(property.PropertyType), Word) : [];
        Default = TextOf(defaults);
    }

    /// <summary>Name in commands and pipelines.</summary>
    public string Name { get; }

    /// <summary>Type of its value.</summary>
    public OptionKind Kind { get; }

    /// <summary>Default as text.</summary>
    public string Default { get; }

    /// <summary>What it does, one line.</summary>
    public string Description { get; }

    /// <summary>Smallest valid number; <see cref="ExclusiveMinimum"/> excludes it.</summary>
    public double Minimum { get; }

    /// <summary>Largest valid number.</summary>
    public double Maximum { get; }

    /// <summary>Whether numbers must be greater than <see cref="Minimum"/>.</summary>
    public bool ExclusiveMinimum { get; }

    /// <summary>The valid words of a choice.</summary>
    public IReadOnlyList<string> Choices { get; }

    /// <summary>The valid values in words, for tables: <c>number > 0 &lt;= 1</c>, <c>none | standard | l2</c>.</summary>
    public string DescribeValues() =>
        Kind switch
        {
            OptionKind.Choice => string.Join(" | ", Choices),
            OptionKind.Flag => "true | false",
            OptionKind.Text => "text",
            _ => (Kind == OptionKind.Integer ? "whole number" : "number")
                + (
                    double.IsNegativeInfinity(Minimum)
                        ? ""
                        : (ExclusiveMinimum ? " > " : " >= ") + Minimum.ToString(CultureInfo.InvariantCulture)
                )
                + (double.IsPositiveInfinity(Maximum) ? "" : " <= " + Maximum.ToString(CultureInfo.InvariantCulture)),
        };

    /// <summary>
    /// The options of a head: those of its own record first, then those of the records that it derives from, each in the order of the
    /// source.
    /// </summary>
    internal static IReadOnlyList<HeadOption> Of(HeadOptions defaults) =>
        Array.ConvertAll(
            Declared.GetOrAdd(defaults.GetType(), static record => [.. DeclaredOption.Declarations(record)]),
            d => new HeadOption(d.Property, d.Declaration, defaults)
        );

    /// <summary>The option's value in a record, as text that <see cref="Set"/> takes.</summary>
    internal string TextOf(HeadOptions options) =>
        _property.GetValue(options) switch
        {
            // The shortest text that is parsed to the same number: a value keeps its bits on the way
            // through files and commands.
            double number => number.ToString("R", CultureInfo.InvariantCulture),
            int number => number.ToString(CultureInfo.InvariantCulture),
            bool flag => flag ? "true" : "false",
            Enum word => Word(word.ToString()),
            IReadOnlyList<int> numbers => string.Join(',', numbers),
            var text => text!.ToString()!,
        };

    /// <summary>Sets the value from text.</summary>
    /// <exception cref="UsageException">The text is no such value, or out of range.</exception>
    internal void Set(HeadOptions options, string head, string text)
    {
        Check(head, text);
        _property.SetValue(
            options,
            Kind switch
            {
                OptionKind.Number => double.Parse(text, CultureInfo.InvariantCulture),
                OptionKind.Integer => int.Parse(text, CultureInfo.InvariantCulture),
                OptionKind.Flag => FlagWords.Parse(text)!.Value,
                // GetNames is in the order of the values, which count from 0 in options, so the place of
                // the word is the value.
                OptionKind.Choice => Enum.ToObject(_property.PropertyType, Choices.ToList().IndexOf(text)),
                _ => _text is null ? text : _text.Parse(text),
            }
        );
    }

    /// <summary>Refuses a text that is no value of this option.</summary>
    /// <exception cref="UsageException">The text is no such value, or out of range.</exception>
    internal void Check(string head, string text)
    {
        var expected = Kind switch
        {
            OptionKind.Integer => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var i) && InRange(i)
                ? null
                : "a whole number",
            // "Infinity" is parsed as well, and no limit excludes it where an option has no maximum.
            OptionKind.Number => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var d)
            && double.IsFinite(d)
            && InRange(d)
                ? null
                : "a number",
            OptionKind.Flag => FlagWords.Parse(text) is not null ? null : "true or false",
            OptionKind.Choice => Choices.Contains(text) ? null : "one of " + string.Join(", ", Choices) + NearestName.Hint(text, Choices),
            _ => _text is null || _text.Parse(text) is not null ? null : _text.Expected + NearestName.Hint(text, _text.Words),
        };
        if (expected is not null)
            throw new UsageException($"{head}: {Name} is '{text}', expected {expected}{Range()}");
    }

    private static OptionKind KindOf(PropertyInfo property) =>
        property.PropertyType switch
        {
            var type when type == typeof(double) => OptionKind.Number,
            var type when type == typeof(int) => OptionKind.Integer,
            var type when type == typeof(bool) => OptionKind.Flag,
            var type when type == typeof(string) => OptionKind.Text,
            { IsEnum: true } => OptionKind.Choice,
            var type when OptionText.Of(type) is not null => OptionKind.Text,
            // An error in the record's source, not in what a user typed: hence no UsageException.
            var type => throw new InvalidOperationException(
                $"{property.DeclaringType}.{property.Name} is of type {type}; an option is a number, bool, string, enum, list of int or "
                    + "IOptionValue"
            ),
        };

    private static string Word(string member) => member.ToLowerInvariant();

    private bool InRange(double value) => value <= Maximum && (ExclusiveMinimum ? value > Minimum : value >= Minimum);

    private string Range()
    {
        if (Kind is not (OptionKind.Integer or OptionKind.Number))
            return "";
        var text = double.IsNegativeInfinity(Minimum)
            ? ""
            : FormattableString.Invariant($" {(ExclusiveMinimum ? "greater than" : "of at least")} {Minimum}");
        return double.IsPositiveInfinity(Maximum)
            ? text
            : text + FormattableString.Invariant($"{(text == "" ? "" : " and")} of at most {Maximum}");
    }
}
