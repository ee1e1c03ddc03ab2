using System.Text;

namespace TransferPipeline.Cli.Completion;

/// <summary>A command line up to the cursor, split into words as shells do it.</summary>
/// <param name="Words">The words behind the program's name; the last one is empty where a new word begins.</param>
/// <param name="Option">The option and the sign before the value that is typed, as in <c>--head=</c>; else empty.</param>
internal sealed record TypedLine(string[] Words, string Option)
{
    /// <summary>
    /// The line for System.CommandLine, which splits it at each space and stops with an exception at <c>--name=value</c>. Words there have
    /// neither spaces nor quotes, and an option and its value are two words.
    /// </summary>
    public string Text => string.Join(' ', Words.Prepend("transfer"));

    public static TypedLine Of(string typed)
    {
        var words = Split(typed);
        string[] rest =
        [
            .. words.Skip(1).SkipLast(1).Select(w => w.Length == 0 ? "_" : Plain(w)),
            .. words.Skip(1).TakeLast(1).Select(Plain),
        ];
        if (rest is not [.. var before, ['-', '-', ..] last] || last.IndexOfAny(['=', ':']) is not (> 0 and var sign))
            return new(rest, "");
        return new([.. before, last[..sign], last[(sign + 1)..]], last[..(sign + 1)]);
    }

    /// <summary>A stand-in for a word that was quoted: which value an option has does not change what may follow.</summary>
    private static string Plain(string word) => word.Replace(' ', '_').Replace('"', '_');

    private static List<string> Split(string typed)
    {
        List<string> words = [];
        var word = new StringBuilder();
        var begun = false;
        char? quote = null;
        for (var i = 0; i < typed.Length; i++)
        {
            var c = typed[i];
            if (c == quote)
                quote = null;
            else if (quote is null && c is '"' or '\'')
                (quote, begun) = (c, true);
            // Not on Windows, where it separates the folders of a path.
            else if (c == '\\' && quote != '\'' && !OperatingSystem.IsWindows() && i + 1 < typed.Length)
                word.Append(typed[++i]);
            else if (quote is null && c == ' ')
            {
                if (begun || word.Length > 0)
                    words.Add(word.ToString());
                word.Clear();
                begun = false;
            }
            else
                word.Append(c);
        }

        words.Add(word.ToString());
        return words;
    }
}
