using System.Diagnostics.CodeAnalysis;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace TransferPipeline.Pipelines.Yaml;

/// <summary>
/// One mapping of a pipeline file. Reading a key marks it as known; <see cref="RejectUnknown()"/> then names what is left.
/// </summary>
internal sealed class YamlMap(YamlDocument document, string path, YamlMappingNode node)
{
    private readonly List<string> _known = [];

    public bool Has(string key) => Find(key) is not null;

    public IEnumerable<string> Keys => node.Children.Keys.OfType<YamlScalarNode>().Select(k => k.Value ?? "");

    [return: NotNullIfNotNull(nameof(fallback))]
    public string? Text(string key, string? fallback = null) =>
        Find(key) switch
        {
            null => fallback,
            YamlScalarNode scalar => scalar.Value ?? "",
            var other => throw Wrong(key, other, "text"),
        };

    public string RequiredText(string key) =>
        Text(key) is { Length: > 0 } text ? text : throw new BadInputException($"{document.Where(node)}: {Where()}lacks the key '{key}'");

    public int Integer(string key, int fallback, NumberRange range) => Scalar(key, fallback, range.Whole, range.ExpectedWhole);

    public double Number(string key, double fallback, NumberRange range) => Scalar(key, fallback, range.Number, range.ExpectedNumber);

    public bool Flag(string key, bool fallback) => Scalar(key, fallback, FlagWords.Parse, static _ => "true or false");

    /// <summary>One of <paramref name="choices"/>, with the nearest suggested.</summary>
    public string Choice(string key, string fallback, params string[] choices)
    {
        var text = Text(key, fallback);
        return choices.Contains(text)
            ? text
            : throw new BadInputException(
                $"{At(key)}'{text}', expected one of {string.Join(", ", choices)}{NearestName.Hint(text, choices)}"
            );
    }

    /// <summary>A member of an enumeration by its word, as of options; its first one where the key is not there.</summary>
    public T Choice<T>(string key)
        where T : struct, Enum
    {
        string[] names = [.. Enum.GetNames<T>().Select(DeclaredOption.Word)];
        return Enum.GetValues<T>()[Array.IndexOf(names, Choice(key, names[0], names))];
    }

    public YamlMap? Map(string key) =>
        Find(key) switch
        {
            null => null,
            YamlMappingNode map => new(document, Join(key), map),
            YamlScalarNode { Value: { } text } found when text.IndexOf(':') is > 0 and var colon => throw Wrong(
                key,
                found,
                $"a mapping (after '{text[..colon]}:' a space is missing)"
            ),
            var other => throw Wrong(key, other, "a mapping"),
        };

    /// <summary>The mapping at a key, or null where anything else is there.</summary>
    public YamlMap? MapIfAny(string key) => Find(key) is YamlMappingNode map ? new(document, Join(key), map) : null;

    /// <summary>A mapping that has to be there.</summary>
    /// <param name="expected">Its first key, for the message.</param>
    // A key without a value counts as absent when it is read, but its line is the better place for the error.
    public YamlMap RequiredMap(string key, string expected) =>
        Map(key)
        ?? throw new BadInputException(
            KeyOf(key) is { } empty
                ? $"{document.Where(empty)}: {Join(key)} is empty; expected a mapping with the key {expected}, indented below it"
                : $"{document.Where(node)}: {Join(key)}: is missing; expected a mapping with the key {expected}"
        );

    /// <summary>The items of a list; a single value or mapping counts as a list of one.</summary>
    public IReadOnlyList<YamlItem> List(string key) =>
        Find(key) switch
        {
            null => [],
            YamlSequenceNode list => [.. list.Children.Select((item, i) => new YamlItem(document, $"{Join(key)}[{i}]", item))],
            var single => [new(document, Join(key), single)],
        };

    /// <summary>
    /// The texts of a list, of which none is empty: such an item is a slip, and would be a name that nothing has. So is a list of none.
    /// </summary>
    public IReadOnlyList<string> Texts(string key) =>
        Find(key) is YamlSequenceNode { Children: [] }
            ? throw Error(key, "is an empty list; expected text")
            : [.. List(key).Select(i => i.IsEmpty ? throw i.Error("is empty; expected text") : i.Text)];

    public IReadOnlyList<double> Numbers(string key) => [.. List(key).Select(i => i.Number)];

    /// <summary>
    /// All plain values of this mapping as text, lists written as [a, b] or [(a, b), (c)], mappings as a:1,b:2, nothing as null; for
    /// options that a head declares itself.
    /// </summary>
    public IReadOnlyDictionary<string, string?> AsTexts()
    {
        var values = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var key in Keys)
        {
            values[key] = Find(key) switch
            {
                null => null,
                YamlScalarNode scalar => scalar.Value ?? "",
                // The list as text would have one item less.
                YamlSequenceNode list when list.Children.FirstOrDefault(c => c is YamlScalarNode { Value: null or "" }) is { } empty =>
                    throw new BadInputException($"{document.Where(empty)}: {Join(key)} has an empty item; expected a value"),
                YamlSequenceNode list
                    when list.Children.All(c =>
                        c is YamlScalarNode
                        || (c is YamlSequenceNode inner && inner.Children.All(i => i is YamlScalarNode))
                        || (c is YamlMappingNode map && IsPlain(map))
                    ) => "[" + string.Join(", ", list.Children.Select(AsItem)) + "]",
                YamlMappingNode map when IsPlain(map) => Pairs(map),
                var other => throw Wrong(key, other, "a value, a list of values or a mapping to values"),
            };
        }

        return values;
    }

    private static bool IsPlain(YamlMappingNode map) => map.Children.All(c => c is { Key: YamlScalarNode, Value: YamlScalarNode });

    private static string Pairs(YamlMappingNode map) =>
        string.Join(",", map.Children.Select(c => $"{((YamlScalarNode)c.Key).Value}:{((YamlScalarNode)c.Value).Value}"));

    // A comma inside an item would divide it when the text is read as a list.
    private static string AsItem(YamlNode item) =>
        item switch
        {
            YamlMappingNode map => $"({Pairs(map)})",
            YamlSequenceNode inner => "(" + string.Join(", ", inner.Children.Select(c => ((YamlScalarNode)c).Value)) + ")",
            YamlScalarNode { Value: { } text } when text.Contains(',') => $"({text})",
            _ => ((YamlScalarNode)item).Value ?? "",
        };

    /// <summary>File, line and key, as an error about it begins.</summary>
    // A key without a value still has a line.
    public string Place(string key) => $"{document.Where(Find(key) ?? KeyOf(key) ?? node)}: {Join(key)}";

    /// <summary>An error about this mapping's content, which starts with file and line.</summary>
    public BadInputException Error(string key, string message) => new($"{At(key)}{message}");

    /// <exception cref="BadInputException">A key was never read: a misspelling; the nearest known one is named.</exception>
    public void RejectUnknown() => RejectUnknown(_known, static _ => null);

    /// <param name="known">The keys that may be here.</param>
    /// <param name="place">Where else a key belongs, as a sentence; null for nowhere.</param>
    /// <inheritdoc cref="RejectUnknown()"/>
    public void RejectUnknown(IReadOnlyCollection<string> known, Func<string, string?> place)
    {
        foreach (var (key, value) in node.Children)
        {
            if (key is not YamlScalarNode { Value: { } name })
                throw new BadInputException($"{document.Where(key)}: {Where()}has {YamlDocument.Kind(key)} as a key, expected a name");
            if (known.Contains(name))
                continue;
            var hint =
                place(name) is { } elsewhere ? $"; {elsewhere}"
                : name.IndexOf(':') is > 0 and var colon && known.Contains(name[..colon])
                    ? $"; after '{name[..(colon + 1)]}' a space is missing"
                : node.Style == MappingStyle.Flow && YamlDocument.IsNothing(value)
                    ? "; inside braces a comma ends a value: put one that has commas in quotes, and write decimals with a point"
                : $"{NearestName.Hint(name, known)} (known here: {string.Join(", ", known.Distinct())})";
            throw new BadInputException($"{document.Where(key)}: unknown key '{Join(name)}'{hint}");
        }
    }

    private T Scalar<T>(string key, T fallback, Func<string, T?> parse, Func<string, string> expected)
        where T : struct
    {
        var found = Find(key);
        if (found is null)
            return fallback;
        var text = (found as YamlScalarNode)?.Value ?? "";
        return found is YamlScalarNode && parse(text) is { } value ? value : throw Wrong(key, found, expected(text));
    }

    private YamlNode? Find(string key)
    {
        // A key is known once it was looked for, be it there or not: misspelled keys are compared with all of these.
        if (!_known.Contains(key))
            _known.Add(key);
        var found = node.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;
        return found is null || YamlDocument.IsNothing(found) ? null : found;
    }

    private BadInputException Wrong(string key, YamlNode found, string expected) =>
        new($"{document.Where(found)}: {Join(key)} is {YamlDocument.Kind(found)}, expected {expected}");

    private string At(string key) => $"{Place(key)}: ";

    private YamlNode? KeyOf(string key) => node.Children.Keys.FirstOrDefault(k => k is YamlScalarNode { Value: { } name } && name == key);

    private string Join(string key) => path == "" ? key : $"{path}.{key}";

    private string Where() => path == "" ? "" : $"{path} ";
}

/// <summary>One item of a list in a pipeline file.</summary>
internal sealed class YamlItem(YamlDocument document, string path, YamlNode node)
{
    public bool IsMap => node is YamlMappingNode;

    /// <summary>Whether there is a dash and nothing behind it, or null.</summary>
    public bool IsNothing => YamlDocument.IsNothing(node);

    public string Text =>
        node is YamlScalarNode scalar
            ? scalar.Value ?? ""
            : throw new BadInputException($"{document.Where(node)}: {path} is {YamlDocument.Kind(node)}, expected text");

    public double Number =>
        NumberRange.All.Number(Text)
        ?? throw new BadInputException($"{document.Where(node)}: {path} is '{Text}', expected {NumberRange.All.ExpectedNumber(Text)}");

    public YamlMap Map =>
        node is YamlMappingNode map
            ? new(document, path, map)
            : throw new BadInputException($"{document.Where(node)}: {path} is {YamlDocument.Kind(node)}, expected a mapping");

    /// <summary>As <see cref="IsNothing"/>, or blanks in quotes.</summary>
    public bool IsEmpty => IsNothing || (node is YamlScalarNode { Value: { } text } && string.IsNullOrWhiteSpace(text));

    /// <summary>File and line.</summary>
    public string Where => document.Where(node);

    /// <summary>File, line and key, as an error about it begins.</summary>
    public string Place => $"{Where}: {path}";

    public BadInputException Error(string message) => new($"{Place}: {message}");
}
