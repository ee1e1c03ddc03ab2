using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace TransferPipeline;

/// <summary>YAML text into nodes, with one kind of failure.</summary>
internal static class YamlText
{
    /// <summary>Levels of mappings and lists; the loader calls itself for each, and a stack that overflows ends the process.</summary>
    private const int MostLevels = 100;

    /// <param name="error">Makes the error from the line, 0 when unknown, and what is wrong in one line.</param>
    public static YamlStream Parse(string text, Func<long, string, Exception, TransferException> error)
    {
        var stream = new YamlStream();
        try
        {
            if (Problem(text) is var (line, problem))
                throw error(line, problem, new YamlException(problem));
            stream.Load(new StringReader(text));
            return stream;
        }
        catch (YamlException e)
        {
            if (!IsTab(e.Message) && YamlFault.Find(text, e.Start.Line, e.Message) is var (line, problem))
                throw error(line, problem, e);
            // YamlDotNet's messages have several lines and end with a dot; ours are one line, and the cure follows.
            throw error(
                LineOf(e, text),
                string.Join(' ', e.Message.Split('\n', StringSplitOptions.TrimEntries)).TrimEnd('.') + Cure(e.Message),
                e
            );
        }
        catch (InvalidOperationException e)
        {
            // Its scanner runs into this on some texts that end or turn within a flow mapping.
            var (line, problem) = YamlFault.Find(text, 0, e.Message) ?? (0, "a bracket or quote is not closed");
            throw error(line, problem, e);
        }
    }

    /// <summary>The value that keys lead to through mappings, or null.</summary>
    public static YamlNode? Value(YamlNode? node, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
            node = node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;
        return node;
    }

    /// <summary>Of a list its items; of anything else that alone.</summary>
    public static IEnumerable<YamlNode> Items(YamlNode? node) =>
        node switch
        {
            null => [],
            YamlSequenceNode list => list.Children,
            _ => [node],
        };

    /// <summary>The text of a scalar, or null.</summary>
    public static string? Text(YamlNode? node) => (node as YamlScalarNode)?.Value;

    /// <summary>What the loader does not survive, or reports without the line.</summary>
    private static (long Line, string Problem)? Problem(string text)
    {
        if (OddSpace(text) is { } odd)
            return odd;
        var parser = new Parser(new StringReader(text));
        var (open, anchors) = (new Stack<AnchorName>(), new HashSet<AnchorName>());
        while (parser.MoveNext())
        {
            var line = parser.Current!.Start.Line;
            if (parser.Current is AnchorAlias { Value: var name })
            {
                if (open.Contains(name))
                    return (line, $"'*{name.Value}' lies inside of what it stands for");
                if (!anchors.Contains(name))
                    return (line, $"'*{name.Value}' has no '&{name.Value}' before it");
            }

            // YAML 1.1's merge key, which the loader takes for a key of that name.
            if (parser.Current is Scalar { Value: "<<", Style: ScalarStyle.Plain })
                return (line, "the merge key '<<' is not supported; write out the keys that it stands for");
            if (parser.Current is NodeEvent { Anchor: { IsEmpty: false } anchor })
                anchors.Add(anchor);
            if (parser.Current is MappingStart or SequenceStart)
                open.Push(((NodeEvent)parser.Current).Anchor);
            else if (parser.Current is MappingEnd or SequenceEnd)
                open.Pop();
            if (open.Count > MostLevels)
                return (line, $"mappings and lists are nested in more than {MostLevels} levels");
        }

        return null;
    }

    /// <summary>
    /// A line that is indented by what looks like a space and is none, as text from a web page may have it: YAML takes it for a letter.
    /// </summary>
    private static (long Line, string Problem)? OddSpace(string text)
    {
        var lines = text.Split('\n');
        for (var n = 0; n < lines.Length; n++)
        {
            if (lines[n].TrimStart(' ') is [var first, ..] && char.GetUnicodeCategory(first) == UnicodeCategory.SpaceSeparator)
                return (
                    n + 1,
                    $"this line is indented by the character U+{(int)first:X4}, which only looks like a space; indent with spaces"
                );
        }

        return null;
    }

    /// <summary>The line of an error; of a tab, its own instead of that in which the mapping around it begins.</summary>
    private static long LineOf(YamlException e, string text)
    {
        if (!IsTab(e.Message))
            return e.Start.Line;
        var lines = text.Split('\n');
        bool HasTab(long line) => line > 0 && line <= lines.Length && lines[line - 1].TrimStart(' ').StartsWith('\t');
        return HasTab(e.End.Line)
            ? e.End.Line
            : Enumerable.Range(1, lines.Length).FirstOrDefault(n => n >= e.Start.Line && HasTab(n), (int)e.Start.Line);
    }

    private static string Cure(string problem) =>
        IsTab(problem) ? "; indent with spaces"
        : problem.Contains("block", StringComparison.Ordinal) || problem.Contains("invalid mapping", StringComparison.Ordinal)
            ? "; check how far this line is indented, and the space after each colon"
        : "";

    private static bool IsTab(string problem) => problem.Contains(" tab ", StringComparison.Ordinal);
}
