using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>The text form of heads and their options.</summary>
internal static class HeadListParser
{
    internal sealed record RequestedHead(IHeadTrainer Trainer, Dictionary<string, string> Options);

    /// <summary>
    /// Splits at commas outside brackets. A piece with '=' sets an option of the head before it, a piece that begins with a letter
    /// is the next head, any other continues the value before it (<c>hidden_layer_sizes=512,128</c>, <c>class_weight=0:1,3:2.5</c>), and so
    /// does a class with its weight (<c>class_weight=cat:1,dog:2.5</c>).
    /// </summary>
    public static List<RequestedHead> Parse(string text, IReadOnlyList<IHeadTrainer> trainers)
    {
        var requested = new List<RequestedHead>();
        string? lastOption = null;
        if (string.IsNullOrWhiteSpace(text))
            Throw.Usage($"no head was named (heads: {string.Join(", ", trainers.Select(t => t.Name))})");
        foreach (var piece in SplitOutsideBrackets(text))
        {
            if (piece.Length == 0)
                Throw.Usage($"'{text}' has nothing between two commas or at an end; write names of heads with one comma between");
            var colon = piece.IndexOf(':');
            var equals = piece.IndexOf('=');
            // What comes first decides: 'knn:metric=cosine' starts a head, 'class_weight=cat:2' sets an option.
            var startsHead = char.IsLetter(piece[0]) && (colon >= 0 ? equals < 0 || colon < equals : equals < 0);
            if (lastOption == ClassWeights.Name && equals < 0 && colon >= 0)
            {
                // An option of a head has '=', so this is no head, whatever the class is called.
                requested[^1].Options[lastOption] += "," + piece;
            }
            else if (startsHead)
            {
                requested.Add(new(HeadCatalog.Find(colon < 0 ? piece : piece[..colon].Trim(), trainers), new(StringComparer.Ordinal)));
                lastOption = colon < 0 ? null : SetOption(requested[^1], piece[(colon + 1)..].Trim());
            }
            else if (requested.Count == 0)
            {
                // "softmax C=1": the head is there, but no colon behind it.
                var space = piece.IndexOf(' ');
                Throw.Usage(
                    space > 0 && trainers.Any(t => t.Name == piece[..space])
                        ? $"'{piece}' lacks the colon behind the head: {piece[..space]}:{piece[space..].Trim()}"
                        : $"'{piece}' comes before any head; write the head first, as in softmax:{piece.TrimStart(':')}"
                );
            }
            else if (equals >= 0)
            {
                lastOption = SetOption(requested[^1], piece);
            }
            else if (lastOption is not null)
            {
                requested[^1].Options[lastOption] += "," + piece;
            }
            else
            {
                Throw.Usage($"'{piece}' is neither a head nor an option of {requested[^1].Trainer.Name} (write name=value)");
            }
        }

        return requested;
    }

    /// <summary>
    /// Applies each <c>option=value</c> or <c>head.option=value</c> to the heads that have no such option yet; those for the heads of one
    /// name come before those for all.
    /// </summary>
    public static void Assign(IEnumerable<string> set, List<RequestedHead> requested, IReadOnlyList<IHeadTrainer> trainers)
    {
        var assignments = set.Select(Divide).ToArray();
        if (assignments.GroupBy(a => a.Left).FirstOrDefault(g => g.Count() > 1) is { } twice)
            Throw.Usage($"{twice.Key} is set to {string.Join(" and ", twice.Select(a => $"'{a.Value}'"))}; give it one value");
        foreach (var (left, value) in assignments.OrderBy(a => a.Left.Contains('.') ? 0 : 1))
            Assign(left, value, requested, trainers);
    }

    private static (string Left, string Value) Divide(string assignment)
    {
        var equals = assignment.IndexOf('=');
        if (equals < 1)
            Throw.Usage($"'{assignment}' is not of the form option=value or head.option=value");
        return (assignment[..equals].Trim(), assignment[(equals + 1)..].Trim());
    }

    private static void Assign(string left, string value, List<RequestedHead> requested, IReadOnlyList<IHeadTrainer> trainers)
    {
        var dot = left.IndexOf('.');
        var option = left[(dot + 1)..];
        var heads = dot < 0 ? requested : requested.Where(a => a.Trainer == HeadCatalog.Find(left[..dot], trainers)).ToList();
        if (heads.Count == 0)
            Throw.Usage($"'{left}={value}' is for {left[..dot]}, which is not among the heads");
        var takers = heads.Where(a => a.Trainer.Options.Any(o => o.Name == option)).ToList();
        if (takers.Count == 0)
        {
            var known = heads.SelectMany(a => a.Trainer.Options).Select(o => o.Name).Distinct().ToArray();
            Throw.Usage($"no head has an option '{option}'{NearestName.Hint(option, known)} (options: {string.Join(", ", known)})");
        }

        foreach (var taker in takers)
            taker.Options.TryAdd(option, value);
    }

    private static string SetOption(RequestedHead head, string text)
    {
        var equals = text.IndexOf('=');
        if (equals < 1)
            Throw.Usage($"'{text}' of {head.Trainer.Name} is not of the form option=value");
        var name = text[..equals].Trim();
        if (!head.Options.TryAdd(name, text[(equals + 1)..].Trim()))
            Throw.Usage($"{head.Trainer.Name}: {name} is given twice");
        return name;
    }

    /// <summary>The pieces between commas that stand in no brackets or quotes, without blanks around them; some may be empty.</summary>
    public static IEnumerable<string> SplitOutsideBrackets(string text)
    {
        var (depth, start, quote) = (0, 0, '\0');
        // The end counts as a comma outside brackets,
        // so a bracket that is not closed reaches the parser that reports it.
        for (var i = 0; i <= text.Length; i++)
        {
            var c = i < text.Length ? text[i] : ',';
            if (i < text.Length && quote != '\0')
                quote = c == quote ? '\0' : quote;
            else if (c is '"' or '\'')
                quote = c;
            else if (c != ',')
                depth +=
                    c is '[' or '(' ? 1
                    : c is ']' or ')' ? -1
                    : 0;
            else if (i == text.Length || depth <= 0)
            {
                yield return text[start..i].Trim();
                start = i + 1;
            }
        }
    }
}
