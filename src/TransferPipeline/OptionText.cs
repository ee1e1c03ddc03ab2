using System.Diagnostics.CodeAnalysis;

namespace TransferPipeline;

/// <summary>Reads the texts of options whose type is a structure of their own, or a list of whole numbers.</summary>
internal sealed record OptionText(Func<string, object?> Parse, string Expected, IReadOnlyList<string> Words)
{
    /// <summary>Widest layer of a network: a wider one is a slip of the pen.</summary>
    internal const int WidestLayer = 65536;

    /// <summary>How a property's type is read; null when a text is taken as it is, or the type has a kind of its own.</summary>
    public static OptionText? Of(Type type) =>
        type == typeof(IReadOnlyList<int>) ? new(Widths, $"widths of 1 to {WidestLayer} with commas between, such as 512,128", [])
        : type.IsValueType && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IOptionValue<>))
            // Static abstract members are reached through a type parameter only, so the generic
            // method is made at run time.
            ? (OptionText)
                typeof(OptionText)
                    .GetMethod(nameof(OfValue), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
                    .MakeGenericMethod(type)
                    .Invoke(null, null)!
        : null;

    [SuppressMessage("CodeQuality", "IDE0051", Justification = "called by Of")]
    private static OptionText OfValue<T>()
        where T : struct, IOptionValue<T> => new(static text => T.TryParse(text, out var value) ? value : null, T.Expected, T.Words);

    private static int[]? Widths(string text)
    {
        // scikit-learn's users write a tuple, of one layer (100,).
        var list = text is ['(', .. var tuple, ')'] ? tuple.TrimEnd().TrimEnd(',') : text;
        var sizes = Array.ConvertAll(
            list.Split(',', StringSplitOptions.TrimEntries),
            part =>
                // No sign, spaces or exponent. 0 is no valid width and stands for every other text.
                int.TryParse(part, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var size)
                    ? size
                    : 0
        );
        return Array.TrueForAll(sizes, s => s is >= 1 and <= WidestLayer) ? sizes : null;
    }
}
