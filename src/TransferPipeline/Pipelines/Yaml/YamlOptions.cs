namespace TransferPipeline.Pipelines.Yaml;

/// <summary>Reads the options that a record declares from a mapping of a pipeline file.</summary>
internal static class YamlOptions
{
    /// <summary>A record with what the mapping gives; the rest has its defaults.</summary>
    /// <exception cref="BadInputException">A value is not of the option's type or limits.</exception>
    public static T Read<T>(YamlMap map)
        where T : class => Read<T>(map, static _ => Activator.CreateInstance<T>());

    /// <param name="start">The record that the others are set in, by what the mapping gives: some options set the defaults of
    /// others.</param>
    /// <inheritdoc cref="Read{T}(YamlMap)"/>
    public static T Read<T>(YamlMap map, Func<T, T> start)
        // Twice: the first reading finds what sets defaults, such as a preset;
        // the second puts what is given over those defaults.
        where T : class => Set<T>(start(Set(Activator.CreateInstance<T>(), map)), map);

    private static T Set<T>(T record, YamlMap map)
        where T : class
    {
        foreach (var option in DeclaredOption.Of<T>())
        {
            if (!map.Has(option.Name))
                continue;
            try
            {
                option.Set(record, Value(map, option));
            }
            catch (UsageException e)
            {
                throw map.Error(option.Name, e.Message);
            }
        }

        return record;
    }

    private static object Value(YamlMap map, DeclaredOption option) =>
        option.Kind switch
        {
            OptionKind.Flag => map.Flag(option.Name, false),
            OptionKind.Integer => map.Integer(option.Name, 0, option.Range),
            OptionKind.Number => map.Number(option.Name, 0, option.Range),
            OptionKind.Choice => map.Choice(option.Name, "", option.Choices),
            OptionKind.Text when option.Choices.Length > 0 => map.Choice(option.Name, "", option.Choices),
            OptionKind.Integers => map.Numbers(option.Name)
                .Select(n =>
                    n >= option.Min && n <= int.MaxValue && n == Math.Floor(n)
                        ? (int)n
                        : throw map.Error(option.Name, FormattableString.Invariant($"expected whole numbers of at least {option.Min}"))
                )
                .ToArray(),
            _ => map.Text(option.Name, ""),
        };
}
