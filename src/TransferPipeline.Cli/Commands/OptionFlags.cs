using System.CommandLine;

namespace TransferPipeline.Cli.Commands;

/// <summary>The options that a record declares, as options of a command.</summary>
internal sealed class OptionFlags<T>
    where T : class
{
    private readonly List<(DeclaredOption Declared, Option Option, Func<ParseResult, object?> Value)> _flags = [];

    /// <param name="names">Those of the record's options that the command has; none for all.</param>
    public OptionFlags(params string[] names)
    {
        foreach (var declared in DeclaredOption.Of<T>().Where(o => names.Length == 0 || names.Contains(o.Name)))
            Add(declared);
    }

    public void AddTo(Command command) => _flags.ForEach(f => command.Options.Add(f.Option));

    /// <summary>A record with what was given; the rest has its defaults.</summary>
    /// <exception cref="UsageException">A value is refused by its property.</exception>
    public T Read(ParseResult parsed) => Read(parsed, static _ => Activator.CreateInstance<T>());

    /// <param name="start">The record that the others are set in, by what was given: some options set the defaults of others.</param>
    /// <inheritdoc cref="Read(ParseResult)"/>
    public T Read(ParseResult parsed, Func<T, T> start)
    {
        // Twice: a preset among the options sets the defaults of others, which then give way to what was given.
        var record = start(Set(Activator.CreateInstance<T>(), parsed));
        return Set(record, parsed);
    }

    private T Set(T record, ParseResult parsed)
    {
        foreach (var (declared, option, value) in _flags)
        {
            // A default of the command line would overwrite that of a preset.
            if (!Common.IsDefault(parsed, option) && value(parsed) is { } given)
                declared.Set(record, given);
        }

        return record;
    }

    private void Add(DeclaredOption declared)
    {
        switch (declared.Kind)
        {
            case OptionKind.Flag when !declared.IsSwitch:
                Add(declared, new Option<bool>(declared.Flag) { Description = declared.Help }, given => given);
                break;
            case OptionKind.Flag:
                Add(declared, Common.Choice(declared.Flag, declared.Help, "off", "on"), given => given == "on");
                break;
            case OptionKind.Choice:
                // The default comes first, as in Common.Choice.
                Add(
                    declared,
                    Common.Choice(declared.Flag, declared.Help, [.. declared.Choices.OrderBy(c => c == declared.DefaultText ? 0 : 1)]),
                    given => given
                );
                break;
            case OptionKind.Integer:
                var whole = (int)declared.Default!;
                Add(declared, Common.Whole(declared.Flag, declared.Help, whole, Range(declared, whole)), given => given);
                break;
            case OptionKind.Number when declared.Default is null:
                // Without limits, as where a default lies outside them: what takes the record reports what is expected.
                Add(declared, Common.NumberIfAny(declared.Flag, declared.Help), given => given);
                break;
            case OptionKind.Number:
                var number = (double)declared.Default;
                Add(declared, Common.Number(declared.Flag, declared.Help, number, Range(declared, number)), given => given);
                break;
            case OptionKind.Integers:
                Add(declared, Common.Wholes(declared.Flag, declared.Help, declared.Range), given => given);
                break;
            default:
                var text = new Option<string>(declared.Flag)
                {
                    Description = declared.Help,
                    HelpName = declared.Choices.Length > 0 ? string.Join('|', declared.Choices) : declared.ValueName ?? "NAME",
                };
                // An empty default too: it is what makes an empty text a value.
                if (declared.Default is not null)
                    text.DefaultValueFactory = _ => declared.DefaultText;
                Add(declared, text, given => given);
                break;
        }
    }

    private void Add<TValue>(DeclaredOption declared, Option<TValue> option, Func<TValue, object?> value) =>
        _flags.Add((declared, option, parsed => value(parsed.GetValue(option)!)));

    /// <summary>
    /// The limits; where the default is outside them, such as no folds, none: what takes the record reports what is expected.
    /// </summary>
    private static NumberRange Range(DeclaredOption declared, double fallback) =>
        declared.Range.Contains(fallback) ? declared.Range : NumberRange.All;
}
