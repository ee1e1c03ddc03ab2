namespace TransferPipeline.Images;

/// <summary>Changes of a preprocessing as text: the options of a command and the keys of a pipeline.</summary>
/// <param name="given">Texts by name; lists are <c>a,b</c> or <c>[a, b]</c>.</param>
/// <param name="error">The error about a name.</param>
internal sealed class PreprocessingText(IReadOnlyDictionary<string, string> given, Func<string, string, Exception> error)
{
    public static readonly string[] Names = ["resize", "crop", "interpolation", "mean", "std", "range", "offset", "divisor", "bgr"];

    private static readonly NumberRange Side = new(1, 100_000);

    /// <summary>Ways to normalize, of which one is given.</summary>
    private static readonly string[][] Forms =
    [
        ["mean", "std"],
        ["range"],
        ["offset", "divisor"],
    ];

    /// <exception cref="TransferException">The error of a text that is not of its form, or of a second way to normalize.</exception>
    public PreprocessingOverride Read()
    {
        string[] used = [.. Forms.Select(f => f.FirstOrDefault(given.ContainsKey)).OfType<string>()];
        if (used.Length > 1)
            throw error(used[1], $"is given beside {used[0]}; expected one of mean with std, range, or offset with divisor");
        var changes = new PreprocessingOverride
        {
            Resize = Value(
                "resize",
                "none, the short side, or height and width, in pixels",
                text => text == "none" ? Array.Empty<int>() : Sides(text)
            ),
            Crop = Value("crop", "one side, or height and width, in pixels", Sides),
            Interpolation = Filter(),
            Mean = Value("mean", "three numbers, for red, green and blue", text => Numbers(text, 3)),
            Std = Value("std", "three numbers greater than 0, for red, green and blue", Deviations),
            Offset = Value("offset", "a level, such as 127.5", NumberRange.All.Number),
            // 0 stands for the other form inside, and would bring back the model's mean and deviation.
            Divisor = Value("divisor", "a number greater than 0", new NumberRange(0, double.PositiveInfinity, ExclusiveMin: true).Number),
            // Null where it is not given, so that the model's own order stays.
            Bgr = Value("bgr", "true or false", FlagWords.Parse),
        };
        if (Value("range", "two numbers, the second greater than the first", Ends) is not [var low, var high])
            return changes;
        // low + level / 255 * (high - low) = (level - offset) / divisor
        return changes with { Offset = -low * 255 / (high - low), Divisor = 255 / (high - low) };
    }

    private T? Value<T>(string name, string expected, Func<string, T?> read)
        where T : class =>
        !given.TryGetValue(name, out var text) ? null : read(text) ?? throw error(name, $"is '{text}', expected {expected}");

    private T? Value<T>(string name, string expected, Func<string, T?> read)
        where T : struct =>
        !given.TryGetValue(name, out var text) ? null : read(text) ?? throw error(name, $"is '{text}', expected {expected}");

    private Interpolation? Filter()
    {
        string[] words = [.. Enum.GetNames<Interpolation>().Select(DeclaredOption.Word)];
        var hint = NearestName.Hint(given.GetValueOrDefault("interpolation", ""), words);
        return Value<Interpolation>(
            "interpolation",
            $"one of {string.Join(", ", words)}{hint}",
            text => Array.IndexOf(words, text) is >= 0 and var index ? Enum.GetValues<Interpolation>()[index] : null
        );
    }

    private static int[]? Sides(string text)
    {
        var sides = Array.ConvertAll(Items(text, 'x', ','), item => Side.Whole(item) ?? 0);
        return sides.Length <= 2 && !sides.Contains(0) ? sides : null;
    }

    private static double[]? Deviations(string text) => Numbers(text, 3) is { } numbers && numbers.Min() > 0 ? numbers : null;

    private static double[]? Ends(string text) => Numbers(text, 2) is [var low, var high] both && low < high ? both : null;

    private static double[]? Numbers(string text, int count)
    {
        var numbers = Array.ConvertAll(Items(text, ','), item => NumberRange.All.Number(item) ?? double.NaN);
        return numbers.Length == count && Array.TrueForAll(numbers, double.IsFinite) ? numbers : null;
    }

    private static string[] Items(string text, params char[] separators) =>
        (text is ['[', .. var list, ']'] ? list : text).Split(separators, StringSplitOptions.TrimEntries);
}
