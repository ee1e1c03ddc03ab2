using System.Globalization;
using TransferPipeline.Images;

namespace TransferPipeline.Backbones.Store;

/// <summary>
/// The preprocessing of a file without a manifest, and why: configurations beside it, what its exporter wrote into it, its first operators.
/// </summary>
/// <param name="Source">One line.</param>
/// <param name="Question">What only the user can answer before vectors are made; null when nothing is open.</param>
internal sealed record AssumedPreprocessing(Preprocessing Preprocessing, string Source, string? Question)
{
    /// <exception cref="BadInputException">A configuration beside the model cannot be read.</exception>
    public static AssumedPreprocessing Of(Backbone backbone)
    {
        var (input, name) = (backbone.Input, Path.GetFileName(backbone.File));
        var stated = PreprocessingConfig.Find(backbone.File, (input.Height, input.Width), input.SizeIsFixed) ?? Embedded(backbone);
        var p = stated?.Preprocessing ?? PreprocessingNames.Find("torchvision", input.Height, input.Width);
        var why =
            stated?.Source
            ?? $"nothing states it, so torchvision's default for {input.Height} x {input.Width} pixels is assumed{Suggestion(name)}";
        var question = stated?.Problem is { } problem ? $"{name}: {stated.Source} {problem}, which cannot be followed; {Cure(name)}" : null;
        var arithmetic = backbone.Arithmetic;
        // Limits that a graph sets to its pixels are no proof: what a publisher states counts more.
        switch (arithmetic.IsProof || stated is null ? arithmetic.Unit : PixelUnit.Unknown)
        {
            // The graph proves the unit; size, filter and order of channels still come from what was stated.
            case PixelUnit.Levels:
                p = p with { Offset = 0, Divisor = 1, Bgr = arithmetic.Bgr || stated is not null && p.Bgr };
                why = $"{arithmetic.Evidence}: levels 0 to 255{Order(arithmetic)}; {why}";
                break;
            case PixelUnit.Unit:
                p = p with { Offset = 0, Divisor = 255, Bgr = arithmetic.Bgr || stated is not null && p.Bgr };
                why = $"{arithmetic.Evidence}: levels / 255{Order(arithmetic)}; {why}";
                break;
            case PixelUnit.Signed:
                p = p with { Offset = 127.5, Divisor = 127.5 };
                why = $"{arithmetic.Evidence}: levels / 127.5 - 1; {why}";
                break;
            // A configuration answers what the graph leaves open.
            case PixelUnit.Unclear when stated is null:
                question ??=
                    $"{name}: {arithmetic.Evidence}, which fits no usual preprocessing, so that the unit of its pixels is not clear; "
                    + $"{Cure(name)}";
                break;
        }

        return new(p, question is null ? $"{Describe(p)} ({why})" : $"not known: {question}", question);
    }

    private static string Order(PixelArithmetic arithmetic) => arithmetic.Bgr ? " in the order blue, green, red" : "";

    /// <summary>A preprocessing in one line.</summary>
    public static string Describe(Preprocessing p)
    {
        var resize =
            p.ResizeShortSide > 0 ? $"short side {p.ResizeShortSide}"
            : p.ResizeHeight > 0 ? $"resize {p.ResizeHeight} x {p.ResizeWidth}"
            : "no resize";
        var crop = p.CropHeight > 0 ? $", crop {p.CropHeight} x {p.CropWidth}{(p.CropRoundsDown ? " rounded down" : "")}" : "";
        var values =
            p.Divisor != 0
                ? p is { Offset: 0, Divisor: 1 }
                    ? "levels 0 to 255"
                    : $"(x - {Text(p.Offset)}) / {Text(p.Divisor)}"
                : $"(x / 255 - [{Text(p.Mean)}]) / [{Text(p.Std)}]";
        return $"{resize} {p.Interpolation.ToString().ToLowerInvariant()}{crop}, {values}{(p.Bgr ? ", BGR" : "")}";
    }

    /// <summary>What exporters write into the file: Ultralytics' metadata, and ONNX's own for images.</summary>
    private static StatedPreprocessing? Embedded(Backbone backbone)
    {
        var (metadata, input) = (backbone.Metadata, backbone.Input);
        if (metadata.GetValueOrDefault("author") == "Ultralytics" || metadata.ContainsKey("imgsz") && metadata.ContainsKey("stride"))
        {
            // A file with an open size states the one that it was trained for.
            var (height, width) = !input.SizeIsFixed && TrainedSize(metadata) is { } size ? size : (input.Height, input.Width);
            // Ultralytics' classify_transforms: Resize(side), CenterCrop(side), x / 255.
            var p = new Preprocessing { Offset = 0, Divisor = 255 };
            // One number keeps the aspect of a photo; an input that is no square needs both sides.
            p =
                height == width
                    ? p with
                    {
                        ResizeShortSide = height,
                        CropHeight = height,
                        CropWidth = width,
                    }
                    : p with
                    {
                        ResizeHeight = height,
                        ResizeWidth = width,
                    };
            return new(
                p,
                metadata.GetValueOrDefault("task", "classify") == "classify"
                    ? "Ultralytics' metadata in the file"
                    : "Ultralytics' metadata in the file, photos cropped as its classifiers crop them"
            );
        }

        return ImageMetadata.Read(key => metadata.GetValueOrDefault(key), (input.Height, input.Width), "ONNX's image metadata in the file");
    }

    /// <summary>Ultralytics' imgsz, such as [640, 640]: height and width.</summary>
    private static (int Height, int Width)? TrainedSize(IReadOnlyDictionary<string, string> metadata)
    {
        var sides = metadata.GetValueOrDefault("imgsz", "").Trim('[', ']', '(', ')').Split(',', StringSplitOptions.TrimEntries);
        var numbers = Array.ConvertAll(sides, s => int.TryParse(s, CultureInfo.InvariantCulture, out var side) ? side : 0);
        return Array.TrueForAll(numbers, n => n is > 0 and <= Preprocessing.MostPixels) && numbers.Length <= 2
            ? (numbers[0], numbers[^1])
            : null;
    }

    /// <summary>A file's name is no statement, but a good question.</summary>
    private static string Suggestion(string name)
    {
        var lower = name.ToLowerInvariant();
        var family =
            lower.Contains("siglip", StringComparison.Ordinal) ? "siglip"
            : lower.Contains("clip", StringComparison.Ordinal) ? "clip"
            : lower.Contains("dino", StringComparison.Ordinal) ? "dinov2"
            : null;
        return family is null ? "" : $", though its name suggests --preprocessing {family}";
    }

    private static string Cure(string name) =>
        $"say it with 'transfer models add {name} --preprocessing NAME' (or --range, --mean and --std, --resize, --crop), or with a "
        + $"manifest beside it";

    private static string Text(IReadOnlyList<double> values) => string.Join(", ", values.Select(Text));

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
