using System.Text.Json;
using TransferPipeline.Images;
using TransferPipeline.Platform;

namespace TransferPipeline.Backbones.Store;

/// <summary>Preprocessing that another tool's file states.</summary>
/// <param name="Source">The file and whose it is, in words.</param>
/// <param name="Problem">What of it cannot be followed; null when all can.</param>
internal sealed record StatedPreprocessing(Preprocessing Preprocessing, string Source, string? Problem = null);

/// <summary>
/// Reads the configuration that publishers put beside a model: Hugging Face's preprocessor_config.json, OpenCLIP's
/// open_clip_config.json, timm's config.json and Azure Custom Vision's metadata_properties.json; in its folder, or above a folder named
/// onnx.
/// </summary>
internal sealed partial class PreprocessingConfig
{
    // From the most telling to the least: every model of transformers has a config.json,
    // but only timm's states the preprocessing.
    private static readonly string[] FileNames =
    [
        "preprocessor_config.json",
        "processor_config.json",
        "open_clip_config.json",
        "config.json",
        "metadata_properties.json",
    ];

    private readonly JsonElement _root;
    private readonly string _source;
    private readonly (int Height, int Width) _input;
    private readonly bool _isFixed;

    private PreprocessingConfig(JsonElement root, string source, (int Height, int Width) input, bool isFixed) =>
        (_root, _source, _input, _isFixed) = (root, source, input, isFixed);

    /// <param name="file">The model.</param>
    /// <param name="input">Size of its photos, pixels.</param>
    /// <param name="isFixed">The model takes no other size.</param>
    /// <returns>Null when there is no such file, or none that speaks of preprocessing.</returns>
    /// <exception cref="BadInputException">The file is not valid JSON, or a value of it is of another type.</exception>
    public static StatedPreprocessing? Find(string file, (int Height, int Width) input, bool isFixed)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        // Publishers put the ONNX files into a folder onnx below the configuration.
        StatedPreprocessing? unread = null;
        var folders = Path.GetFileName(folder) == "onnx" && Path.GetDirectoryName(folder) is { } above ? new[] { folder, above } : [folder];
        foreach (var path in folders.SelectMany(f => FileNames.Select(n => Path.Combine(f, n))).Where(File.Exists))
        {
            try
            {
                using var json = JsonDocument.Parse(
                    InputFile.Json(path),
                    new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip }
                );
                var source = Path.GetRelativePath(folder, path);
                if (
                    json.RootElement.ValueKind == JsonValueKind.Object
                    && new PreprocessingConfig(json.RootElement, source, input, isFixed).Read(Path.GetFileName(path)) is { } stated
                )
                    return WithSize(Plausible(stated), input, isFixed);
                // A processor's file is about photos, whatever else it holds; the other two are of many kinds of networks.
                if (Path.GetFileName(path) == "preprocessor_config.json")
                    unread ??= new(
                        PreprocessingNames.Find("torchvision", input.Height, input.Width),
                        $"Hugging Face's {source}",
                        "has no size, no image_mean and no do_normalize"
                    );
            }
            catch (Exception e)
                when (e
                        is JsonException
                            or InvalidOperationException
                            or FormatException
                            or KeyNotFoundException
                            or OverflowException
                            or IndexOutOfRangeException
                )
            {
                throw new BadInputException(
                    $"{path}: not a configuration that can be read ({e.Message.ReplaceLineEndings(" ")}); correct it, remove it, or "
                        + $"put a manifest beside the model",
                    e
                );
            }
        }

        return unread;
    }

    /// <exception cref="FormatException">Its numbers, or what is computed of them, give no pixels or no finite values.</exception>
    private static StatedPreprocessing Plausible(StatedPreprocessing stated)
    {
        var p = stated.Preprocessing;
        int[] sides = [p.ResizeShortSide, p.ResizeHeight, p.ResizeWidth, p.CropHeight, p.CropWidth];
        if (Array.Find(sides, s => s is < 0 or > Preprocessing.MostPixels) is not 0 and var side)
            throw new FormatException($"it gives a side of {side} pixels, expected at most {Preprocessing.MostPixels}");
        double[] values = [.. p.Mean, p.Offset, p.Divisor];
        if (!values.All(double.IsFinite) || !p.Std.All(s => s > 0 && double.IsFinite(s)))
            throw new FormatException("its mean, deviation or factor give no finite values; expected deviations greater than 0");
        // Means and deviations of levels for values up to 1, or the other way round: normalized photos would all be alike, or be far off.
        var isOff =
            p.Divisor == 0 && p.Mean.Zip(p.Std).Any(c => c.First > 1.2 || c.Second > 4 || c.First is > 0 and < 0.02 && c.Second < 0.02);
        return isOff && stated.Problem is null
            ? stated with
            {
                Problem = "has a mean and a deviation of another unit than its factor makes",
            }
            : stated;
    }

    /// <summary>A configuration whose photos are of another size than the model takes cannot be followed.</summary>
    private static StatedPreprocessing WithSize(StatedPreprocessing stated, (int Height, int Width) input, bool isFixed)
    {
        var (height, width) = (stated.Preprocessing.OutputHeight, stated.Preprocessing.OutputWidth);
        return stated.Problem is null && isFixed && (height, width) != input
            ? stated with
            {
                Problem =
                    $"makes {(height == 0 ? "photos of differing sizes" : $"{height} x {width} pixels")}, but the model takes "
                    + $"{input.Height} x {input.Width}",
            }
            : stated;
    }

    private StatedPreprocessing? Read(string name) =>
        name switch
        {
            // OpenCLIP takes CLIP's numbers where the file has none.
            "open_clip_config.json" => (_root.Object("preprocess_cfg") ?? _root.Object("model_cfg")?.Object("vision_cfg")) is { } clip
                ? OpenClip(clip)
                : null,
            // timm's processor for transformers repeats its configuration.
            "config.json"
            or "preprocessor_config.json"
                when (_root.Object("pretrained_cfg") ?? _root) is var timm
                    && timm.TryGetProperty("input_size", out _)
                    && (timm.TryGetProperty("mean", out _) || IsTimms(_root)) => Timm(timm),
            "config.json" => null,
            "metadata_properties.json" => ImageMetadata.Read(key => _root.Text(key), _input, $"Azure Custom Vision's {_source}"),
            _ => (_root.Object("image_processor") ?? _root) is var processor
            && (
                processor.TryGetProperty("size", out _)
                || processor.TryGetProperty("image_mean", out _)
                || processor.TryGetProperty("do_normalize", out _)
            )
                ? HuggingFace(processor)
                : null,
        };

    private static bool IsTimms(JsonElement root) =>
        root.TryGetProperty("architecture", out _) || root.TryGetProperty("pretrained_cfg", out _);

    /// <summary>timm's evaluation transform: Resize(floor(side / crop share)), CenterCrop.</summary>
    private StatedPreprocessing Timm(JsonElement config)
    {
        var size = TimmSize(config, "input_size") ?? throw new FormatException("input_size is null");
        // timm evaluates at its test size only where that is requested; a network that was exported for it takes no other.
        var isTest = _isFixed && size != _input && TimmSize(config, "test_input_size") == _input;
        if (isTest)
            size = _input;
        // timm's defaults (data/config.py) where a configuration has none.
        var share = (isTest ? config.Number("test_crop_pct") : null) ?? config.Number("crop_pct") ?? 0.875;
        var imageNet = PreprocessingNames.Find("timm", size.Height, size.Width);
        var mode = config.Text("crop_mode") ?? "center";
        var (height, width) = ((int)Math.Floor(size.Height / share), (int)Math.Floor(size.Width / share));
        var p = new Preprocessing
        {
            CropHeight = size.Height,
            CropWidth = size.Width,
            Interpolation = Filter(config.Text("interpolation") ?? "bicubic"),
            Mean = config.Value("mean") is null ? imageNet.Mean : config.Channels("mean"),
            Std = config.Value("std") is null ? imageNet.Std : config.Channels("std"),
        };
        p = mode == "center" ? p with { ResizeShortSide = height } : p with { ResizeHeight = height, ResizeWidth = width };
        return new(
            p,
            $"timm's {_source}{(isTest ? ", at its test_input_size" : "")}",
            mode is not ("center" or "squash") ? $"has crop_mode '{mode}'"
                // There timm keeps a photo's shape and fills the crop with it.
                : mode == "center" && height != width ? $"crops {size.Height} x {size.Width} pixels, which are no square"
                : null
        );
    }

    private static (int Height, int Width)? TimmSize(JsonElement config, string key) =>
        config.Value(key) is not { } shape ? null
        : shape.ValueKind == JsonValueKind.Array && shape.GetArrayLength() == 3
            ? (ConfigValues.Side(key, shape[1]), ConfigValues.Side(key, shape[2]))
        : throw new FormatException($"{key} is {shape.GetRawText()}, expected channels, height and width");

    private StatedPreprocessing OpenClip(JsonElement config)
    {
        // OpenCLIP's own configuration of a network has the size where that of the photos has none.
        var vision = _root.Object("model_cfg")?.Object("vision_cfg");
        var (height, width) = config.Sides("size") ?? config.Sides("image_size") ?? vision?.Sides("image_size") ?? _input;
        var mode = config.Text("resize_mode") ?? "shortest";
        var p = new Preprocessing
        {
            CropHeight = height,
            CropWidth = width,
            Interpolation = Filter(config.Text("interpolation") ?? "bicubic"),
            Mean = config.Value("mean") is not null ? config.Channels("mean") : PreprocessingNames.Find("clip", height, width).Mean,
            Std = config.Value("std") is not null ? config.Channels("std") : PreprocessingNames.Find("clip", height, width).Std,
        };
        p =
            mode == "shortest" && height == width
                ? p with
                {
                    ResizeShortSide = height,
                }
                : p with
                {
                    ResizeHeight = height,
                    ResizeWidth = width,
                };
        return new(
            p,
            $"OpenCLIP's {_source}",
            mode is "squash" || mode == "shortest" && height == width ? null : $"has resize_mode '{mode}'"
        );
    }

    private static Interpolation Filter(string name) =>
        name switch
        {
            "nearest" => Interpolation.Nearest,
            "bicubic" => Interpolation.Bicubic,
            "lanczos" => Interpolation.Lanczos,
            // timm's "random" is for training; its evaluation then is bilinear.
            "bilinear" or "random" => Interpolation.Bilinear,
            _ => throw new FormatException($"interpolation '{name}'"),
        };
}
