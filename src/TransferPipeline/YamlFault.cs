using System.Text.RegularExpressions;

namespace TransferPipeline;

/// <summary>
/// The likely slip in YAML that a parser refused. Parsers report the token that they could not use, which often stands a line below.
/// </summary>
internal static partial class YamlFault
{
    /// <param name="line">The line that the parser reports, from 1; 0 when unknown.</param>
    /// <param name="problem">What the parser reports.</param>
    /// <returns>Null where none of the usual slips is there.</returns>
    public static (long Line, string Problem)? Find(string text, long line, string problem)
    {
        // What the syntax allows is no slip of these kinds.
        if (problem.Contains("uplicate", StringComparison.Ordinal))
            return null;
        var lines = text.Split('\n').Select(l => l.TrimEnd('\r')).ToArray();
        var at = (int)Math.Clamp(line, 1, lines.Length);
        if (
            problem.Contains("cannot start any token", StringComparison.Ordinal)
            && Reserved().Match(lines[at - 1]) is { Success: true } sign
        )
            return (at, $"a value cannot begin with '{sign.Groups[1].Value}': put it in quotes");
        if (problem.Contains("anchor or alias", StringComparison.Ordinal))
            return (at, "a value cannot begin with '*' or '&': put it in quotes");
        if (problem.Contains("node content", StringComparison.Ordinal) && MissingItem().IsMatch(lines[at - 1]))
            return (at, "between two commas of a list a value is missing");
        // A path of Windows, most likely: "C:\photos".
        if (problem.Contains("escape", StringComparison.Ordinal) || problem.Contains("hexadecimal", StringComparison.Ordinal))
            return (at, "a backslash between double quotes begins an escape such as \\n; put the text in single quotes, or write \\\\");
        if (problem.Contains("quoted scalar", StringComparison.Ordinal))
            return (at, "the quote that begins here is not closed, or its other lines are not indented");
        if (line < 1 || problem.Contains("flow", StringComparison.Ordinal))
            return Bracket(lines) ?? MissingSpace(lines, at);
        return MissingSpace(lines, at) ?? TwoKeys(lines, at) ?? Indentation(lines, at) ?? Bracket(lines);
    }

    /// <summary>A key or a list item without the space behind its sign, in the line of the error or the last one before it.</summary>
    private static (long Line, string Problem)? MissingSpace(string[] lines, int at)
    {
        foreach (var n in new[] { at, Above(lines, at) }.Where(n => n > 0))
        {
            if (KeyWithoutSpace().Match(lines[n - 1]) is { Success: true } key)
                return (n, $"after '{key.Groups[1].Value}' a space is missing");
            if (ItemWithoutSpace().IsMatch(lines[n - 1]))
                return (n, "after '-' a space is missing");
        }

        return null;
    }

    private static (long Line, string Problem)? TwoKeys(string[] lines, int at) =>
        SecondKey().Match(lines[at - 1]) is { Success: true } keys
            ? (
                at,
                $"'{keys.Groups[1].Value}' and '{keys.Groups[2].Value}' are on one line: put the second on the next line, indented, or "
                    + $"write {keys.Groups[1].Value}: {{{keys.Groups[2].Value}: ...}}"
            )
            : null;

    /// <summary>A line that begins in a column where no mapping or list above it does.</summary>
    private static (long Line, string Problem)? Indentation(string[] lines, int at)
    {
        var (own, levels) = (Indent(lines[at - 1]), new List<int>());
        var first = 0;
        for (var n = Above(lines, at); n > 0; n = Above(lines, n))
        {
            first = n;
            // The keys behind '- ' are a level of their own.
            foreach (var column in new[] { Item().Match(lines[n - 1]).Length, Indent(lines[n - 1]) })
            {
                if (levels.Count == 0 || column < levels[^1])
                    levels.Add(column);
            }
        }

        if (levels.Count == 0 || levels.Contains(own))
            return null;
        // Left of all lines above: the first one is where the top level was set.
        return own < levels[^1]
            ? (
                first,
                $"this line is indented by {Spaces(levels[^1])}, and line {at} by {Spaces(own)}: keys of one level begin in the same column"
            )
            : (at, $"this line is indented by {Spaces(own)}; expected {string.Join(" or ", levels.Order())}, as the lines above it");
    }

    /// <summary>The innermost bracket that is not closed, or is closed by one of another kind.</summary>
    private static (long Line, string Problem)? Bracket(string[] lines)
    {
        var open = new Stack<(char Sign, int Line)>();
        for (var n = 1; n <= lines.Length; n++)
        {
            var line = lines[n - 1];
            for (var i = 0; i < line.Length; i++)
            {
                var before = line.AsSpan(0, i).TrimEnd();
                // Inside of a plain value a bracket or a quote is text.
                var begins =
                    before.IsEmpty || (open.Count > 0 ? "[{,:".Contains(before[^1]) : before.Length < i && ":-".Contains(before[^1]));
                var sign = line[i];
                if (sign == '#' && (i == 0 || line[i - 1] == ' '))
                    break;
                if (sign is '"' or '\'' && begins)
                {
                    // A quote over several lines: what follows cannot be distinguished from its text.
                    i = line.IndexOf(sign, i + 1);
                    if (i < 0)
                        return null;
                }
                else if (sign is '[' or '{' && (begins || open.Count > 0))
                    open.Push((sign, n));
                else if (sign is ']' or '}' && open.TryPop(out var last) && sign != Close(last.Sign))
                    return (n, $"found '{sign}', expected '{Close(last.Sign)}' to close the '{last.Sign}' of line {last.Line}");
            }
        }

        return open.TryPeek(out var left) ? (left.Line, $"'{left.Sign}' is not closed; expected '{Close(left.Sign)}'") : null;
    }

    private static char Close(char sign) => sign == '[' ? ']' : '}';

    /// <summary>The number of the last line above that has content, or 0.</summary>
    private static int Above(string[] lines, int at) =>
        at < 2 ? 0 : Array.FindLastIndex(lines, at - 2, at - 1, l => l.TrimStart() is { Length: > 0 } content && content[0] != '#') + 1;

    private static int Indent(string line) => line.Length - line.TrimStart(' ').Length;

    private static string Spaces(int count) => count == 1 ? "1 space" : $"{count} spaces";

    // Not 'http://' nor a drive of Windows.
    [GeneratedRegex(@"^ *(?:- +)?([A-Za-z_][\w.-]*:)(?![\s/\\:]|$)")]
    private static partial Regex KeyWithoutSpace();

    [GeneratedRegex(@"^ *(?:- +)*")]
    private static partial Regex Item();

    [GeneratedRegex(@"^ *-[A-Za-z_]")]
    private static partial Regex ItemWithoutSpace();

    [GeneratedRegex(@"^ *(?:- +)?([\w.-]+): +([\w.-]+):(?: |$)")]
    private static partial Regex SecondKey();

    // Not inside quotes.
    [GeneratedRegex(@"^[^""'#]*[\[,] *,")]
    private static partial Regex MissingItem();

    [GeneratedRegex(@"(?:^|[:\-\[{,]) *([@`%])")]
    private static partial Regex Reserved();
}
