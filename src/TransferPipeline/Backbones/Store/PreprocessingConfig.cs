using System.Text.Json;
using TransferPipeline.Images;
using TransferPipeline.Platform;

namespace TransferPipeline.Backbones.Store;

/// <summary>Preprocessing that another tool's file states.</summary>
/// <param name="Source">The file and whose it is, in words.</param>
/// <param name="Problem">What of it cannot be followed; null when all can.</param>
internal sealed record StatedPreprocessing(Preprocessing Preprocessing, string Source, string? Problem = null);

/// <summary>
/// Reads the configuration that publishers put beside a model: Hugging Face's preprocessor_config.json, OpenCLIP's open_clip_config.json
/// and timm's config.json; in its folder, or above a folder named onnx.
/// </summary>
internal sealed class PreprocessingConfig
{
    // From the most telling to the least: every model of transformers has a config.json,
    // but only timm's states the preprocessing.
    private static readonly string[] FileNames =
    [
        "preprocessor_config.json",
        "processor_config.json",
        "open_clip_config.json",
        "config.json",
    ];

    private readonly JsonElement _root;
    private readonly string _source;
    private readonly (int Height, int Width) _input;

    private PreprocessingConfig(JsonElement root, string source, (int Height, int Width) input) =>
        (_root, _source, _input) = (root, source, input);

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
                    && new PreprocessingConfig(json.RootElement, source, input).Read(Path.GetFileName(path)) is { } stated
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
                    && timm.TryGetProperty("mean", out _) => Timm(timm),
            "config.json" => null,
            _ => (_root.Object("image_processor") ?? _root) is var processor
            && (
                processor.TryGetProperty("size", out _)
                || processor.TryGetProperty("image_mean", out _)
                || processor.TryGetProperty("do_normalize", out _)
            )
                ? HuggingFace(processor)
                : null,
        };

    /// <summary>timm's evaluation transform: Resize(floor(side / crop share)), CenterCrop.</summary>
    private StatedPreprocessing Timm(JsonElement config)
    {
        var shape = config.GetProperty("input_size");
        if (shape.ValueKind != JsonValueKind.Array || shape.GetArrayLength() != 3)
            throw new FormatException($"input_size is {shape.GetRawText()}, expected channels, height and width");
        var size = (Height: ConfigValues.Side("input_size", shape[1]), Width: ConfigValues.Side("input_size", shape[2]));
        // timm's default where a configuration has none.
        var share = config.Number("crop_pct") ?? 0.875;
        var mode = config.Text("crop_mode") ?? "center";
        var (height, width) = ((int)Math.Floor(size.Height / share), (int)Math.Floor(size.Width / share));
        var p = new Preprocessing
        {
            CropHeight = size.Height,
            CropWidth = size.Width,
            Interpolation = Filter(config.Text("interpolation") ?? "bilinear"),
            Mean = config.Channels("mean"),
            Std = config.Channels("std"),
        };
        p = mode == "center" ? p with { ResizeShortSide = height } : p with { ResizeHeight = height, ResizeWidth = width };
        return new(
            p,
            $"timm's {_source}",
            mode is not ("center" or "squash") ? $"has crop_mode '{mode}'"
                // There timm keeps a photo's shape and fills the crop with it.
                : mode == "center" && height != width ? $"crops {size.Height} x {size.Width} pixels, which are no square"
                : null
        );
    }

    private StatedPreprocessing OpenClip(JsonElement config)
    {
        var (height, width) = config.Sides("size") ?? config.Sides("image_size") ?? _input;
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

    private StatedPreprocessing HuggingFace(JsonElement config)
    {
        var problems = Unknown(config);
        var p = new Preprocessing { Interpolation = Resample(config, problems) };
        if (config.Flag("do_resize", true))
            p = Resized(p, config, problems);
        if (config.Flag("do_center_crop", config.TryGetProperty("crop_size", out _)))
        {
            if (config.Sides("crop_size") is { } crop)
                p = p with { CropHeight = crop.Height, CropWidth = crop.Width };
            else
                problems.Add("has do_center_crop without crop_size");
        }

        // Their center_crop starts at (size - crop) // 2.
        p = p with
        {
            CropRoundsDown = p.CropHeight > 0,
            Bgr = config.Flag("do_flip_channel_order", false),
        };
        return new(Normalized(p, config), $"Hugging Face's {_source}", problems.Count == 0 ? null : string.Join(", ", problems));
    }

    /// <summary>What else a processor would do to the pixels: each step that is on and not built here, by its key.</summary>
    private static List<string> Unknown(JsonElement config)
    {
        List<string> problems = [];
        foreach (var property in config.EnumerateObject())
        {
            var isOn = property.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.False);
            var isStep = property.Name.StartsWith("do_", StringComparison.Ordinal) && !KnownSteps.Contains(property.Name);
            if (isOn && property.Name == "do_pad")
                problems.Add("pads photos (do_pad)");
            else if (isOn && (isStep || OtherSizes.Contains(property.Name)))
                problems.Add($"has {property.Name}");
        }

        if (config.Value("image_mean") is null && config.Flag("do_normalize", HuggingFaceTypes.Normalizes(Type(config))))
            problems.Add(config.Value("do_normalize") is null ? "has no image_mean" : "has do_normalize without image_mean");
        // Of processors of videos: a rescaling less 1 or less a half.
        if (config.Flag("offset", false))
            problems.Add("has offset");
        // Their center_crop comes before the resize there.
        if (Type(config).StartsWith("Perceiver", StringComparison.Ordinal))
            problems.Add("crops before it resizes");
        return problems;
    }

    /// <summary>do_reduce_labels changes labels of segmentation alone, and all photos are RGB.</summary>
    private static readonly HashSet<string> KnownSteps =
    [
        "do_resize",
        "do_center_crop",
        "do_rescale",
        "do_normalize",
        "do_convert_rgb",
        "do_flip_channel_order",
        "do_reduce_labels",
    ];

    /// <summary>Keys by which the size follows from each photo's own.</summary>
    private static readonly HashSet<string> OtherSizes =
    [
        "keep_aspect_ratio",
        "size_divisor",
        "min_pixels",
        "max_pixels",
        "max_num_patches",
        "image_grid_pinpoints",
    ];

    /// <summary>The processor's class, without the word for its variant on tensors; empty when it is not stated.</summary>
    private static string Type(JsonElement config) =>
        (config.Text("image_processor_type") ?? config.Text("feature_extractor_type") ?? "").Replace("Fast", "", StringComparison.Ordinal);

    private static Preprocessing Resized(Preprocessing p, JsonElement config, List<string> problems)
    {
        var type = Type(config);
        if (config.Value("size") is not { } size)
            // The default of most processors' classes.
            return p with { ResizeShortSide = 224 };
        var isShort = size.ValueKind == JsonValueKind.Object && size.TryGetProperty("shortest_edge", out _);
        // The longest edge limits what the shortest would give.
        if (size.ValueKind == JsonValueKind.Object && (isShort ? size.Value("longest_edge") is not null : size.Value("height") is null))
        {
            problems.Add($"has size {size}");
            return p;
        }

        var (height, width) = isShort ? (size.Side("shortest_edge"), 0) : config.Sides("size")!.Value;
        // In a preprocessing 0 would mean that nothing is resized.
        if (height < 1)
            throw new FormatException($"size is {size.GetRawText()}, expected sides greater than 0");
        // Before sizes had names, a number meant a square for ViT's processors and the short side for these.
        if (size.ValueKind == JsonValueKind.Number)
            isShort =
                config.Value("default_to_square") is not null ? !config.Flag("default_to_square", true)
                : type.Length == 0 ? config.Flag("do_center_crop", false)
                : HuggingFaceTypes.ResizesShortSide(type);
        if (type.StartsWith("ConvNext", StringComparison.Ordinal) || config.Number("crop_pct") is not null)
            return Share(p, config, height);
        // transformers' LevitImageProcessor: int((256 / 224) * shortest_edge).
        if (type.StartsWith("Levit", StringComparison.Ordinal) && isShort)
            height = (int)(256.0 / 224 * height);
        return isShort ? p with { ResizeShortSide = height } : p with { ResizeHeight = height, ResizeWidth = width };
    }

    /// <summary>
    /// ConvNeXt's and its followers': below 384 pixels the short side divided by a share, then the middle; from 384 on a square.
    /// </summary>
    private static Preprocessing Share(Preprocessing p, JsonElement config, int side)
    {
        var share = config.Number("crop_pct") ?? 224.0 / 256;
        return side < 384
            ? p with
            {
                ResizeShortSide = (int)(side / share),
                CropHeight = side,
                CropWidth = side,
            }
            : p with
            {
                ResizeHeight = side,
                ResizeWidth = side,
            };
    }

    /// <summary>x * factor (- 1), then (x - mean) / std, written as (x / 255 - mean) / std or (x - offset) / divisor.</summary>
    private static Preprocessing Normalized(Preprocessing p, JsonElement config)
    {
        var factor = !config.Flag("do_rescale", true) ? 1 : config.Number("rescale_factor") ?? 1.0 / 255;
        var shift = config.Flag("rescale_offset", false) ? 1 : 0;
        var isNormalized = config.Flag("do_normalize", true) && config.Value("image_mean") is not null;
        // transformers' EfficientNetImageProcessor divides by the deviation once more, for classification.
        var again = config.Flag("include_top", Type(config).StartsWith("EfficientNet", StringComparison.Ordinal));
        if (!isNormalized && !again)
            // Without a normalization the values are (x - offset) / divisor, with the inverse of the factor.
            return p with { Offset = Whole(shift / factor), Divisor = Whole(1 / factor) };
        // (factor x - shift - mean) / std = (x / 255 - (mean + shift) / scale) / (std / scale), with scale = 255 factor.
        var scale = Whole(255 * factor);
        var std = config.Channels("image_std");
        return p with
        {
            Mean = [.. (isNormalized ? config.Channels("image_mean") : [0, 0, 0]).Select(m => (m + shift) / scale)],
            Std = [.. std.Select(s => (isNormalized && again ? s * s : s) / scale)],
        };
    }

    /// <summary>1 / 0.00392156862745098 is 255: the number that the ten digits stand for.</summary>
    private static double Whole(double value) =>
        Math.Abs(value - Math.Round(value * 2) / 2) < 1e-6 * Math.Abs(value) ? Math.Round(value * 2) / 2 : value;

    private static Interpolation Resample(JsonElement config, List<string> problems)
    {
        // PIL's numbers of filters; 4 and 5 (box, Hamming) are not built.
        switch (config.Number("resample"))
        {
            case null:
                return HuggingFaceTypes.Filter(Type(config));
            case 0:
                return Interpolation.Nearest;
            case 1:
                return Interpolation.Lanczos;
            case 2:
                return Interpolation.Bilinear;
            case 3:
                return Interpolation.Bicubic;
            case { } resample:
                problems.Add(FormattableString.Invariant($"has resample {resample}"));
                return Interpolation.Bilinear;
        }
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
