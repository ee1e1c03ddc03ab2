using System.CommandLine;
using System.Globalization;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Images;

namespace TransferPipeline.Cli.Commands;

/// <summary>Options for how photos become a backbone's input, by the names of its manifest.</summary>
internal sealed class PreprocessingFlags
{
    private readonly Option<string?> _named = new("--preprocessing")
    {
        Description = $"By name: {string.Join("; ", PreprocessingNames.All.Select(p => $"{p.Key} ({p.Value})"))}. Other options change it.",
        HelpName = string.Join('|', PreprocessingNames.All.Select(p => p.Key)),
    };
    private readonly Option<string?> _resize = new("--resize")
    {
        Description = "Short side in pixels, HEIGHTxWIDTH, or none.",
        HelpName = "256|224x224|none",
    };
    private readonly Option<string?> _interpolation = new("--interpolation")
    {
        Description = "nearest, bilinear, bicubic or lanczos.",
        HelpName = "NAME",
    };
    private readonly Option<string?> _crop = new("--crop")
    {
        Description = "Centre crop in pixels, one side or HEIGHTxWIDTH.",
        HelpName = "224|224x224",
    };
    private readonly Option<string?> _mean = new("--mean") { Description = "Red, green and blue, of values in 0..1.", HelpName = "R,G,B" };
    private readonly Option<string?> _std = new("--std") { Description = "Red, green and blue, of values in 0..1.", HelpName = "R,G,B" };
    private readonly Option<string?> _range = new("--range")
    {
        Description = "In the place of mean and std: the input's values for levels 0 and 255, such as -1,1, 0,1 or 0,255.",
        HelpName = "LOW,HIGH",
    };
    private readonly Option<double?> _offset = new("--offset")
    {
        Description = "In the place of mean and std: (level - offset) / divisor.",
    };
    private readonly Option<double?> _divisor = new("--divisor") { Description = "See --offset." };
    private readonly Option<bool> _bgr = new("--bgr") { Description = "Channels in the order blue, green, red." };

    private IReadOnlyList<Option> All => [_named, _resize, _interpolation, _crop, _mean, _std, _range, _offset, _divisor, _bgr];

    public void AddTo(Command command)
    {
        foreach (var option in All)
            command.Add(option);
    }

    /// <summary>What the options change; null when none is given.</summary>
    /// <exception cref="UsageException">A value is not of its form, or two ways to normalize are given.</exception>
    public Func<Preprocessing, Preprocessing>? Read(ParseResult parsed)
    {
        var given = All.Where(o => parsed.GetResult(o) is not null).Select(o => o.Name).ToList();
        if (given.Count == 0)
            return null;
        string[][] forms =
        [
            ["--mean", "--std"],
            ["--range"],
            ["--offset", "--divisor"],
        ];
        if (forms.Count(f => f.Any(given.Contains)) > 1)
            throw new UsageException("--mean with --std, --range, and --offset with --divisor are three ways to say one thing: give one");
        if (given.Contains("--offset") != given.Contains("--divisor"))
            throw new UsageException("--offset and --divisor belong together: (level - offset) / divisor");
        var (changes, crop) = (Changes(parsed), parsed.GetValue(_crop));
        return p => changes.Apply(parsed.GetValue(_named) is { } named ? Named(named, p, crop) : p);
    }

    private PreprocessingOverride Changes(ParseResult parsed)
    {
        var (offset, divisor) = (parsed.GetValue(_offset), parsed.GetValue(_divisor));
        if (parsed.GetValue(_range) is { } range)
        {
            // low + level / 255 * (high - low) = (level - offset) / divisor
            var (low, high) = Numbers("--range", range, 2) is var r ? (r[0], r[1]) : default;
            if (!(high > low))
                throw new UsageException($"--range '{range}': the second number must be greater than the first");
            (offset, divisor) = (-low * 255 / (high - low), 255 / (high - low));
        }

        // The command line takes "nan" and "inf" for numbers.
        if (divisor is { } number && !(number > 0 && double.IsFinite(number)))
            throw new UsageException("--divisor must be greater than 0");
        if (offset is { } level && !double.IsFinite(level))
            throw new UsageException("--offset must be a level, such as 127.5");
        var std = parsed.GetValue(_std);
        var changes = new PreprocessingOverride
        {
            Resize =
                parsed.GetValue(_resize) is not { } resize ? null
                : resize == "none" ? []
                : Sides("--resize", resize),
            Crop = parsed.GetValue(_crop) is { } crop ? Sides("--crop", crop) : null,
            Interpolation = parsed.GetValue(_interpolation) is { } interpolation ? Filter(interpolation) : null,
            Mean = parsed.GetValue(_mean) is { } mean ? Numbers("--mean", mean, 3) : null,
            Std = std is null ? null : Numbers("--std", std, 3),
            Offset = offset,
            Divisor = divisor,
            // Null where it is not given, so that the model's own order stays.
            Bgr = parsed.GetValue(_bgr) ? true : null,
        };
        return changes.Std?.Any(s => s <= 0) == true
            ? throw new UsageException($"--std '{std}': expected numbers greater than 0")
            : changes;
    }

    /// <summary>The named preprocessing for the size that the crop gives, or else the model takes.</summary>
    private static Preprocessing Named(string name, Preprocessing model, string? crop)
    {
        int[] sides = crop is null
            ? [Side(model.CropHeight, model.ResizeHeight), Side(model.CropWidth, model.ResizeWidth)]
            : Sides("--crop", crop);
        return PreprocessingNames.Find(name, sides[0], sides[^1]);

        // 224 pixels where the model states no size: most ImageNet networks take them.
        static int Side(int cropped, int resized) =>
            cropped > 0 ? cropped
            : resized > 0 ? resized
            : 224;
    }

    private static Interpolation Filter(string text)
    {
        string[] names = [.. Enum.GetNames<Interpolation>().Select(n => n.ToLowerInvariant())];
        var index = Array.IndexOf(names, text);
        return index >= 0
            ? Enum.GetValues<Interpolation>()[index]
            : throw new UsageException($"--interpolation '{text}' is not one of {string.Join(", ", names)}{NearestName.Hint(text, names)}");
    }

    private static int[] Sides(string option, string text)
    {
        var sides = text.Split('x');
        var numbers = new int[sides.Length];
        for (var i = 0; i < sides.Length; i++)
        {
            if (
                sides.Length > 2
                || !int.TryParse(sides[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i])
                || numbers[i] is 0 or > 100_000
            )
                throw new UsageException($"{option} '{text}': expected pixels, as in 224 or 224x224");
        }

        return numbers;
    }

    private static double[] Numbers(string option, string text, int count)
    {
        var numbers = new List<double>();
        foreach (var part in text.Split(','))
        {
            if (double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
                numbers.Add(number);
        }

        // A part that is no number was left out above; the commas still count it.
        return numbers.Count == count && text.Count(c => c == ',') == count - 1
            ? [.. numbers]
            : throw new UsageException($"{option} '{text}': expected {count} numbers with commas between them");
    }
}
