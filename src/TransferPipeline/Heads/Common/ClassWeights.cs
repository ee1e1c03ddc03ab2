using System.Globalization;

namespace TransferPipeline.Heads.Common;

/// <summary>Weights of classes as scikit-learn's <c>class_weight</c>.</summary>
internal static class ClassWeights
{
    /// <summary>The option's name.</summary>
    public const string Name = "class_weight";

    private const string None = "none";
    public const string Balanced = "balanced";

    /// <summary>One weight per class; null where the option is none, for heads that have a shorter way then.</summary>
    /// <param name="counts">Training rows of each class.</param>
    /// <param name="names">Names of the classes; empty where they have none.</param>
    public static float[]? OfOrNull(string head, IWeightedHead options, int[] counts, IReadOnlyList<string> names) =>
        IsNone(options) ? null : Of(head, options, counts, names);

    /// <summary>Whether the option is none.</summary>
    public static bool IsNone(IWeightedHead options) => options.ClassWeight is None;

    /// <summary>
    /// One weight per class from the option's text: <c>none</c>, <c>balanced</c>, <c>cat:1,dog:2.5</c> or <c>0:1,3:2.5</c>.
    /// </summary>
    /// <inheritdoc cref="OfOrNull"/>
    public static float[] Of(string head, IWeightedHead options, int[] counts, IReadOnlyList<string> names)
    {
        var text = options.ClassWeight;
        var weights = new float[counts.Length];
        Array.Fill(weights, 1);
        if (text == Balanced)
        {
            var total = counts.Sum();
            for (var k = 0; k < counts.Length; k++)
                // In float64: classes times rows can exceed an int.
                weights[k] = (float)((double)total / ((double)counts.Length * counts[k]));
            return weights;
        }

        foreach (var (k, weight) in Given(head, text, counts.Length, names))
            weights[k] = weight;
        return weights;
    }

    /// <summary>Refuses a text that does not suit these classes, before anything is trained.</summary>
    /// <exception cref="UsageException">It names a class that is not there, or is no list of weights.</exception>
    public static void Check(string head, string text, IReadOnlyList<string> names) => Given(head, text, names.Count, names);

    private static Dictionary<int, float> Given(string head, string text, int classes, IReadOnlyList<string> names)
    {
        var given = new Dictionary<int, float>();
        if (text is None or Balanced)
            return given;
        // Lists of settings put parentheses around a value that has commas; they may be part of the
        // text that arrives here.
        var left = (text.Trim() is ['(', .. var inner, ')'] ? inner : text).Trim();
        do
        {
            // Names before numbers: where a class is called 3, the text 3:2.5 means that class.
            var (k, weight, length) =
                ByName(left, names) ?? ByNumber(left, classes, names) ?? throw Wrong(head, text, left, classes, names);
            if (!given.TryAdd(k, weight))
                Throw.Usage($"{head}: {Name} is '{text}', which gives class {(names.Count > 0 ? $"'{names[k]}'" : k)} two weights");
            left = left[length..].Trim();
        } while (left.Length > 0);

        return given;
    }

    /// <summary>A class's name may hold commas and colons: the longest one that a weight follows is meant.</summary>
    private static (int Class, float Weight, int Length)? ByName(string left, IReadOnlyList<string> names)
    {
        foreach (var (name, k) in names.Select((name, k) => (name, k)).OrderByDescending(n => n.name.Length))
        {
            foreach (var written in (string[])[name, $"\"{name}\"", $"'{name}'"])
            {
                if (left.StartsWith(written, StringComparison.Ordinal) && WeightAt(left, written.Length) is var (weight, length))
                    return (k, weight, length);
            }
        }

        return null;
    }

    /// <summary>Where classes are called 1, 2, 3 a number is a name, so that it never means the class that stands at that place.</summary>
    private static (int Class, float Weight, int Length)? ByNumber(string left, int classes, IReadOnlyList<string> names)
    {
        var colon = left.IndexOf(':');
        return
            colon > 0
            && TryClass(left[..colon], out var k)
            && k >= 0
            && k < classes
            && !names.Any(n => TryClass(n, out _))
            && WeightAt(left, colon) is var (weight, length)
            ? (k, weight, length)
            : null;
    }

    /// <summary>The weight of <c>:2.5</c> or <c>:2.5,</c> at a position, and where what follows it begins.</summary>
    private static (float Weight, int End)? WeightAt(string text, int position)
    {
        var after = text[position..].TrimStart();
        if (!after.StartsWith(':'))
            return null;
        var start = text.Length - after.Length + 1;
        // The number's style has no thousands separators, so the next comma ends the weight.
        var comma = text.IndexOf(',', start);
        var end = comma < 0 ? text.Length : comma;
        return
            // Solvers divide by weights (LossWeights.Times), so 0 is refused like a negative number.
            float.TryParse(text.AsSpan(start, end - start), NumberStyles.Float, CultureInfo.InvariantCulture, out var weight)
            && weight > 0
            && float.IsFinite(weight)
            ? (weight, Math.Min(end + 1, text.Length))
            : null;
    }

    private static bool TryClass(string text, out int number) =>
        int.TryParse(
            text,
            NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite | NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture,
            out number
        );

    private static UsageException Wrong(string head, string text, string left, int classes, IReadOnlyList<string> names)
    {
        // A pair of the right form most likely has a misspelled name: the nearest one is suggested.
        // Other texts get the form.
        var piece = left.Split(',')[0];
        var colon = piece.LastIndexOf(':');
        var name = (colon < 0 ? piece : piece[..colon]).Trim().Trim('"', '\'');
        if (
            names.Count > 0
            && colon > 0
            && !names.Contains(name)
            && WeightAt(piece, colon) is not null
            && (!TryClass(name, out _) || names.Any(n => TryClass(n, out _)))
        )
            return new(
                $"{head}: {Name} is '{text}', but there is no class '{name}'{NearestName.Hint(name, names)} (classes: {Some(names)})"
            );
        var example = names.Count > 1 ? $"{names[0]}:1,{names[1]}:2.5" : "0:1,3:2.5";
        return new(
            $"{head}: {Name} is '{text}', expected none, balanced or pairs class:weight such as {example} with "
                + $"{(names.Count > 0 ? "names or numbers of classes," : "classes")} 0 to {classes - 1}{(names.Count > 0 ? "," : "")} "
                + $"and weights greater than 0"
        );
    }

    private static string Some(IReadOnlyList<string> names)
    {
        const int Most = 12;
        return string.Join(", ", names.Take(Most)) + (names.Count > Most ? $" and {names.Count - Most} more" : "");
    }
}
