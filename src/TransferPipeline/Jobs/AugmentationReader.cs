using TransferPipeline.Images;
using TransferPipeline.Images.Augmentations;

namespace TransferPipeline.Jobs;

/// <summary>Reads a pipeline's `augment` list.</summary>
internal static class AugmentationReader
{
    private static readonly string[] Names = ["random-resized-crop", "random-horizontal-flip", "random-rotation", "color-jitter"];

    /// <exception cref="BadInputException">A transform or one of its parameters is unknown or wrong.</exception>
    public static IReadOnlyList<Augmentation> Read(IReadOnlyList<StepRequest> steps, Preprocessing preprocessing) =>
        [.. steps.Select(s => Read(s, preprocessing))];

    private static Augmentation Read(StepRequest step, Preprocessing preprocessing)
    {
        var options = new StepOptions(step);
        // Defaults are torchvision's, since tutorials leave most parameters out.
        Augmentation augmentation = step.Name switch
        {
            "random-resized-crop" => Crop(options, preprocessing),
            "random-horizontal-flip" => new RandomHorizontalFlip { Probability = options.Number("p", 0.5, new(0, 1)) },
            "random-rotation" => new RandomRotation
            {
                Degrees = options.Range("degrees", null, d => ValueRange.Around(0, d)),
                Interpolation = options.Interpolation("interpolation", Interpolation.Nearest),
                Fill = (byte)(options.Whole("fill", new(0, byte.MaxValue)) ?? 0),
            },
            "color-jitter" => new ColorJitter
            {
                Brightness = options.Range("brightness", new(1, 1), ColorJitter.Factor),
                Contrast = options.Range("contrast", new(1, 1), ColorJitter.Factor),
                Saturation = options.Range("saturation", new(1, 1), ColorJitter.Factor),
                Hue = options.Range("hue", new(0, 0), h => ValueRange.Around(0, h)),
            },
            _ => throw new BadInputException(
                $"{step.Where}: no augmentation '{step.Name}'{NearestName.Hint(step.Name, Names)} (augmentations: "
                    + $"{string.Join(", ", Names)})"
            ),
        };
        options.RejectUnknown();
        return augmentation;
    }

    private static RandomResizedCrop Crop(StepOptions options, Preprocessing preprocessing)
    {
        var side = options.Whole("size", new(1, 16384));
        return new()
        {
            Width = side ?? preprocessing.CropWidth,
            Height = side ?? preprocessing.CropHeight,
            Scale = options.Range("scale", new(0.08, 1), low => new(low, 1)),
            Ratio = options.Range("ratio", new(3.0 / 4, 4.0 / 3), r => new(1 / r, r)),
            Interpolation = options.Interpolation("interpolation", Interpolation.Bilinear),
        };
    }

    /// <summary>One step's options; what was never read is unknown.</summary>
    private sealed class StepOptions(StepRequest step)
    {
        private readonly List<string> _known = [];

        public double Number(string name, double fallback, NumberRange range) =>
            Find(name) is not { } text ? fallback : range.Number(text) ?? throw Wrong(name, text, range.ExpectedNumber(text));

        /// <summary>Null where it is not given.</summary>
        public int? Whole(string name, NumberRange range) =>
            Find(name) is not { } text ? null : range.Whole(text) ?? throw Wrong(name, text, range.ExpectedWhole(text));

        /// <summary>Two numbers [from, to], or one that <paramref name="single"/> turns into a range as torchvision does.</summary>
        public ValueRange Range(string name, ValueRange? fallback, Func<double, ValueRange> single)
        {
            if (Find(name) is not { } text)
                return fallback ?? throw new BadInputException($"{step.Where}: {step.Name} needs '{name}'");
            // What is no number becomes NaN, which matches neither form below.
            var parts = text.Trim('[', ']')
                .Split(',', StringSplitOptions.TrimEntries)
                .Select(p => NumberRange.All.Number(p) ?? double.NaN)
                .ToArray();
            return parts switch
            {
                [var one] when double.IsFinite(one) => single(one),
                [var from, var to] when from <= to => new(from, to),
                _ => throw Wrong(name, text, "a number, or [from, to]"),
            };
        }

        // By the names alone: Enum.TryParse takes numbers too, which torchvision and PIL count in another order.
        public Interpolation Interpolation(string name, Interpolation fallback) =>
            Find(name) is not { } text ? fallback
            : Enum.GetNames<Interpolation>().FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } found
                ? Enum.Parse<Interpolation>(found)
            : throw Wrong(name, text, "one of nearest, bilinear, bicubic, lanczos");

        public void RejectUnknown()
        {
            if (step.Options.Keys.FirstOrDefault(k => !_known.Contains(k)) is { } unknown)
                throw new BadInputException(
                    $"{step.Where}: {step.Name} has no parameter '{unknown}'{NearestName.Hint(unknown, _known)} (parameters: "
                        + $"{string.Join(", ", _known)})"
                );
        }

        private string? Find(string name)
        {
            _known.Add(name);
            return step.Options.GetValueOrDefault(name);
        }

        private BadInputException Wrong(string name, string found, string expected) =>
            new($"{step.Where}: {step.Name}: {name} is '{found}', expected {expected}");
    }
}
