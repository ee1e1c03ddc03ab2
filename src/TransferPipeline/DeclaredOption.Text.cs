using System.Globalization;

namespace TransferPipeline;

/// <summary>An option's value as text: in the options of heads, which commands and pipelines give as text, and in results.</summary>
internal sealed partial class DeclaredOption
{
    /// <summary>The valid values in words, for tables: <c>number > 0 &lt;= 1</c>, <c>none | standard | l2</c>.</summary>
    public string DescribeValues() =>
        Kind switch
        {
            _ when Choices.Length > 0 => string.Join(" | ", Choices),
            OptionKind.Flag => "true | false",
            OptionKind.Text or OptionKind.Integers => "text",
            _ => (Kind == OptionKind.Integer ? "whole number" : "number")
                + (double.IsNegativeInfinity(Min) ? "" : FormattableString.Invariant($" {(ExclusiveMin ? ">" : ">=")} {Min}"))
                + (double.IsPositiveInfinity(Max) ? "" : FormattableString.Invariant($" <= {Max}")),
        };

    /// <summary>The option's value in a record, as text that <see cref="SetText"/> takes.</summary>
    public string TextOf(object record) =>
        _property.GetValue(record) switch
        {
            // The shortest text that is parsed to the same number: a value keeps its bits on the way
            // through files and commands.
            double number => number.ToString("R", CultureInfo.InvariantCulture),
            int number => number.ToString(CultureInfo.InvariantCulture),
            bool flag => flag ? "true" : "false",
            Enum word => Word(word.ToString()),
            IReadOnlyList<int> numbers => string.Join(',', numbers),
            var value => value?.ToString() ?? "",
        };

    /// <summary>Sets the value from text.</summary>
    /// <param name="owner">What has the option, for messages.</param>
    /// <exception cref="UsageException">The text is no such value, or out of range.</exception>
    public void SetText(object record, string owner, string text)
    {
        Check(owner, text);
        Set(
            record,
            Kind switch
            {
                OptionKind.Number => Range.Number(text)!.Value,
                OptionKind.Integer => Range.Whole(text)!.Value,
                OptionKind.Flag => FlagWords.Parse(text)!.Value,
                OptionKind.Choice => text,
                _ => OptionText.Of(_property.PropertyType)?.Parse(text) ?? text,
            }
        );
    }

    /// <summary>Refuses a text that is no value of this option.</summary>
    /// <inheritdoc cref="SetText"/>
    public void Check(string owner, string text)
    {
        var expected = Kind switch
        {
            OptionKind.Integer => Range.Whole(text) is not null ? null : Range.ExpectedWhole(text),
            OptionKind.Number => Range.Number(text) is not null ? null : Range.ExpectedNumber(text),
            OptionKind.Flag => FlagWords.Parse(text) is not null ? null : "true or false",
            _ when Choices.Length > 0 => Choices.Contains(text)
                ? null
                : "one of " + string.Join(", ", Choices) + NearestName.Hint(text, Choices),
            _ => OptionText.Of(_property.PropertyType) is not { } form || form.Parse(text) is not null
                ? null
                : form.Expected + NearestName.Hint(text, form.Words),
        };
        if (expected is not null)
            throw new UsageException($"{owner}: {Name} is '{text}', expected {expected}");
    }
}
