using System.CommandLine;
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
    private readonly Option<string?> _offset = new("--offset")
    {
        Description = "In the place of mean and std: (level - offset) / divisor.",
        HelpName = "X",
    };
    private readonly Option<string?> _divisor = new("--divisor") { Description = "See --offset.", HelpName = "X" };
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
        // A switch that is not given has a result too, an implicit one; one that is given has no value behind it.
        var given = All.Where(o => !Common.IsDefault(parsed, o))
            .ToDictionary(o => o.Name["--".Length..], o => parsed.GetResult(o)!.Tokens is [var token, ..] ? token.Value : "true");
        if (given.Count == 0)
            return null;
        given.Remove("preprocessing", out var named);
        var changes = new PreprocessingText(given, static (name, problem) => new UsageException($"--{name} {problem}")).Read();
        return p => changes.Apply(named is null ? p : Named(named, p, changes.Crop));
    }

    /// <summary>The named preprocessing for the size that the crop gives, or else the model takes.</summary>
    private static Preprocessing Named(string name, Preprocessing model, IReadOnlyList<int>? crop)
    {
        var sides = crop ?? [Side(model.CropHeight, model.ResizeHeight), Side(model.CropWidth, model.ResizeWidth)];
        return PreprocessingNames.Find(name, sides[0], sides[^1]);

        // 224 pixels where the model states no size: most ImageNet networks take them.
        static int Side(int cropped, int resized) =>
            cropped > 0 ? cropped
            : resized > 0 ? resized
            : 224;
    }
}
