using System.Globalization;
using System.Text;
using TransferPipeline.Datasets;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace TransferPipeline.Pipelines.Yaml;

/// <summary>A YAML file as a tree that keeps line numbers, with values replaced by <c>--set a.b=c</c>.</summary>
internal sealed class YamlDocument
{
    // A lenient decoder puts a replacement character into paths and class names, which are then found nowhere.
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly YamlMappingNode _root;

    /// <summary>What <c>--set</c> put in, by the assignment.</summary>
    // By reference: nodes are equal by their content, and the same value can stand in the file too.
    private readonly Dictionary<YamlNode, string> _set = new(ReferenceEqualityComparer.Instance);

    /// <summary>Nodes that took the place of others, which have the lines of the file.</summary>
    private readonly Dictionary<YamlNode, YamlNode> _copyOf = new(ReferenceEqualityComparer.Instance);

    private YamlDocument(string file, YamlMappingNode root) => (File, _root) = (file, root);

    public string File { get; }

    public YamlMap Root => new(this, "", _root);

    /// <exception cref="BadInputException">The file is missing, not YAML, or its top is not a mapping.</exception>
    public static YamlDocument Read(string file)
    {
        string text;
        // Reading a folder as a file fails as if rights were missing.
        if (Directory.Exists(file))
            throw new BadInputException($"{file}: is a folder; expected a pipeline in YAML");
        try
        {
            using var stream = System.IO.File.OpenRead(file);
            var bytes = InputFile.Bytes(stream, file);
            if (MagicNumbers.NameOf(bytes) is { } kind)
                throw new BadInputException($"{file} is {kind}; expected a pipeline in YAML");
            using var reader = new StreamReader(new MemoryStream(bytes), StrictUtf8);
            text = reader.ReadToEnd();
            // UTF-16 without its mark is valid UTF-8 with a zero character in each letter.
            if (text.Contains('\0'))
                throw new BadInputException($"{file}: is not text in UTF-8; save it as UTF-8");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"{file}: no such file; expected a pipeline in YAML", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new BadInputException($"{file}: is not text in UTF-8; save it as UTF-8", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{file}: cannot be read: {e.Message}", e);
        }

        return Parse(file, text);
    }

    public static YamlDocument Parse(string file, string text)
    {
        var stream = YamlText.Parse(
            text,
            (line, problem, e) => new BadInputException($"{file}{(line > 0 ? $":{line}" : "")}: not valid YAML: {problem}", e)
        );
        if (stream.Documents.Count == 0 || (stream.Documents.Count == 1 && IsNothing(stream.Documents[0].RootNode)))
            throw new BadInputException($"{file}: is empty; expected a mapping with the keys data, model and heads");
        if (stream.Documents.Count > 1)
            throw new BadInputException(
                $"{file}:{stream.Documents[1].RootNode.Start.Line}: a second document begins, expected one pipeline per file"
            );
        if (stream.Documents[0].RootNode is not YamlMappingNode root)
            throw new BadInputException(
                $"{file}:{stream.Documents[0].RootNode.Start.Line}: found {Kind(stream.Documents[0].RootNode)}, expected a mapping "
                    + $"with the keys data, model and heads{MissingSpace(stream.Documents[0].RootNode)}"
            );
        return new(file, root);
    }

    /// <summary>File and line of a node, or the <c>--set</c> that put it there.</summary>
    public string Where(YamlNode node)
    {
        while (_copyOf.TryGetValue(node, out var original))
            node = original;
        if (_set.TryGetValue(node, out var assignment))
            return $"--set '{assignment}'";
        // The parser gives [ridge: {alpha: 1}], a mapping without braces, no place; its first key has one.
        if (node is YamlMappingNode { Children: [var (first, _), ..] } && node.Start.Equals(Mark.Empty))
            node = first;
        return $"{File}:{node.Start.Line}";
    }

    /// <summary>Whether a value is one of YAML's ways of writing nothing; in quotes the same text is a value.</summary>
    public static bool IsNothing(YamlNode node) =>
        node
            is YamlScalarNode { Value: null }
                or YamlScalarNode { Value: "" or "~" or "null" or "Null" or "NULL", Style: ScalarStyle.Plain };

    /// <summary>
    /// Replaces or adds the value at a dotted path; numbers are positions in a list, of which the one after the last adds to it.
    /// </summary>
    /// <exception cref="UsageException">The text is not <c>a.b=c</c>, or the path goes through something that is neither mapping nor
    /// list.</exception>
    public void Set(string assignment)
    {
        var equals = assignment.IndexOf('=');
        if (equals <= 0)
            throw new UsageException($"--set '{assignment}' is not of the form a.b=value");
        var keys = assignment[..equals].Split('.');
        var value = ParseValue(assignment);
        YamlNode node = _root;
        for (var i = 0; i < keys.Length - 1; i++)
            node = Child(node, keys[i], keys[i + 1], assignment);
        // Every node of the value: a mistake deep inside of it is blamed on the assignment, not on a line of the file.
        foreach (var part in value.AllNodes)
            _set[part] = assignment;
        switch (node)
        {
            case YamlMappingNode map:
                // The old key goes too: an equal one would stay in place,
                // and an error about the key would name its line in the file.
                map.Children.Remove(new YamlScalarNode(keys[^1]));
                map.Children[New(keys[^1], assignment)] = value;
                break;
            case YamlSequenceNode list when keys[^1] == list.Children.Count.ToString(CultureInfo.InvariantCulture):
                list.Children.Add(value);
                break;
            case YamlSequenceNode list:
                list.Children[Position(list, keys[^1], assignment)] = value;
                break;
            default:
                throw new UsageException(
                    $"--set '{assignment}': '{string.Join('.', keys[..^1])}' is a plain value in {File}, not a mapping"
                );
        }
    }

    public static string Kind(YamlNode node) =>
        node switch
        {
            YamlMappingNode => "a mapping",
            YamlSequenceNode => "a list",
            YamlScalarNode scalar => $"'{scalar.Value}'",
            _ => "an alias",
        };

    /// <param name="next">The key that follows: a head that stands there by its name alone becomes a mapping of that name.</param>
    private YamlNode Child(YamlNode node, string key, string next, string assignment)
    {
        switch (node)
        {
            case YamlSequenceNode list:
                var position = Position(list, key, assignment);
                if (list.Children[position] is YamlScalarNode { Value: { } name } && name == next)
                {
                    list.Children[position] = new YamlMappingNode(New(name, assignment), new YamlMappingNode());
                    _set[list.Children[position]] = assignment;
                }

                return list.Children[position] = Own(list.Children[position]);
            case YamlMappingNode map:
                // The key that is there, which has its line in the file.
                var there = map.Children.Keys.FirstOrDefault(k => k.Equals(new YamlScalarNode(key)));
                if (there is not null && !IsNothing(map.Children[there]))
                    return map.Children[there] = Own(map.Children[there]);
                map.Children.Remove(new YamlScalarNode(key));
                var child = map.Children[New(key, assignment)] = new YamlMappingNode();
                _set[child] = assignment;
                return child;
            default:
                throw new UsageException($"--set '{assignment}': '{key}' lies below {Kind(node)}, a plain value");
        }
    }

    /// <summary>A copy that stands in one place: an alias is the node of its anchor, and setting it would change both places.</summary>
    private YamlNode Own(YamlNode node)
    {
        YamlNode copy = node switch
        {
            YamlMappingNode map => new YamlMappingNode(map.Children) { Style = map.Style },
            YamlSequenceNode list => new YamlSequenceNode(list.Children) { Style = list.Style },
            _ => node,
        };
        if (copy != (object)node)
            _copyOf[copy] = node;
        return copy;
    }

    private YamlScalarNode New(string key, string assignment)
    {
        var node = new YamlScalarNode(key);
        _set[node] = assignment;
        return node;
    }

    private static int Position(YamlSequenceNode list, string key, string assignment) =>
        int.TryParse(key, out var position) && position >= 0 && position < list.Children.Count
            ? position
            : throw new UsageException($"--set '{assignment}': '{key}' is not a position in a list of {list.Children.Count}");

    private static string MissingSpace(YamlNode root) =>
        root is YamlScalarNode { Value: { } text } && text.IndexOf(':') is > 0 and var colon
            ? $" (after '{text[..(colon + 1)]}' a space is missing)"
            : "";

    private static YamlNode ParseValue(string assignment)
    {
        // A value is YAML too, so that lists and mappings can be set.
        var stream = YamlText.Parse(
            assignment[(assignment.IndexOf('=') + 1)..],
            (_, problem, e) => new UsageException($"--set '{assignment}': the value is not valid YAML: {problem}", e)
        );
        // Nothing behind the equals sign is what nothing behind a key is: the default.
        return stream.Documents.Count == 0 ? new YamlScalarNode("") { Style = ScalarStyle.Plain } : stream.Documents[0].RootNode;
    }
}
