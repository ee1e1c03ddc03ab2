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

        return null;
    }

    /// <exception cref="FormatException">Its numbers, or what is computed of them, give no pixels or no finite values.</exception>
    private static StatedPreprocessing Plausible(StatedPreprocessing stated)
    {
        var p = stated.Preprocessing;
        int[] sides = [p.ResizeShortSide, p.ResizeHeight, p.ResizeWidth, p.CropHeight, p.CropWidth];
        if (Array.Find(sides, s => s is < 0 or > Preprocessing.MostPixels) is not 0 and var side)
            throw new FormatException($"it gives a side of {side} pixels, expected at most {Preprocessing.MostPixels}");
        double[] values = [.. p.Mean, p.Offset, p.Divisor];
        return values.All(double.IsFinite) && p.Std.All(s => s > 0 && double.IsFinite(s))
            ? stated
            : throw new FormatException("its mean, deviation or factor give no finite values; expected deviations greater than 0");
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
            "open_clip_config.json" => Object(_root, "preprocess_cfg") is { } clip ? OpenClip(clip) : null,
            "config.json" => (Object(_root, "pretrained_cfg") ?? _root) is var timm
            && timm.TryGetProperty("input_size", out _)
            && timm.TryGetProperty("mean", out _)
                ? Timm(timm)
                : null,
            _ => (Object(_root, "image_processor") ?? _root) is var processor
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
        var size = config.GetProperty("input_size").EnumerateArray().Select(v => v.GetInt32()).ToArray() is [_, var h, var w]
            ? (Height: h, Width: w)
            : _input;
        // timm's default where a configuration has none.
        var share = Number(config, "crop_pct") ?? 0.875;
        var mode = Text(config, "crop_mode") ?? "center";
        var (height, width) = ((int)Math.Floor(size.Height / share), (int)Math.Floor(size.Width / share));
        var p = new Preprocessing
        {
            CropHeight = size.Height,
            CropWidth = size.Width,
            Interpolation = Filter(Text(config, "interpolation") ?? "bilinear"),
            Mean = Channels(config, "mean"),
            Std = Channels(config, "std"),
        };
        p =
            mode == "center" && height == width
                ? p with
                {
                    ResizeShortSide = height,
                }
                : p with
                {
                    ResizeHeight = height,
                    ResizeWidth = width,
                };
        return new(p, $"timm's {_source}", mode is "center" or "squash" ? null : $"has crop_mode '{mode}'");
    }

    private StatedPreprocessing OpenClip(JsonElement config)
    {
        var (height, width) = config.TryGetProperty("size", out var size)
            ? size.ValueKind == JsonValueKind.Array
                ? (size[0].GetInt32(), size[1].GetInt32())
                : (size.GetInt32(), size.GetInt32())
            : _input;
        var mode = Text(config, "resize_mode") ?? "shortest";
        var p = new Preprocessing
        {
            CropHeight = height,
            CropWidth = width,
            Interpolation = Filter(Text(config, "interpolation") ?? "bicubic"),
            Mean = config.TryGetProperty("mean", out _) ? Channels(config, "mean") : PreprocessingNames.Find("clip", height, width).Mean,
            Std = config.TryGetProperty("std", out _) ? Channels(config, "std") : PreprocessingNames.Find("clip", height, width).Std,
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
        var problems = new List<string>();
        var p = new Preprocessing { Interpolation = Resample(config, problems) };
        if (Flag(config, "do_resize", true))
            p = Resized(p, config, problems);
        if (Flag(config, "do_center_crop", config.TryGetProperty("crop_size", out _)) && Size(config, "crop_size") is { } crop)
            p = p with { CropHeight = crop.Height, CropWidth = crop.Width };
        if (Flag(config, "do_pad", false))
            problems.Add("pads photos (do_pad)");
        // Their center_crop starts at (size - crop) // 2.
        p = p with
        {
            CropRoundsDown = p.CropHeight > 0,
            Bgr = Flag(config, "do_flip_channel_order", false),
        };
        return new(Normalized(p, config), $"Hugging Face's {_source}", problems.Count == 0 ? null : string.Join(", ", problems));
    }

    private static Preprocessing Resized(Preprocessing p, JsonElement config, List<string> problems)
    {
        var type = (Text(config, "image_processor_type") ?? Text(config, "feature_extractor_type") ?? "").Replace(
            "Fast",
            "",
            StringComparison.Ordinal
        );
        if (!config.TryGetProperty("size", out var size) || size.ValueKind == JsonValueKind.Null)
            // The default of most processors' classes.
            return p with { ResizeShortSide = 224 };
        var isShort = size.ValueKind == JsonValueKind.Object && size.TryGetProperty("shortest_edge", out _);
        if (size.ValueKind == JsonValueKind.Object && !isShort && !size.TryGetProperty("height", out _))
        {
            problems.Add($"has size {size}");
            return p;
        }

        var (height, width) = isShort ? (size.GetProperty("shortest_edge").GetInt32(), 0) : Size(config, "size")!.Value;
        // In a preprocessing 0 would mean that nothing is resized.
        if (height < 1)
            throw new FormatException($"size is {size.GetRawText()}, expected sides greater than 0");
        // Before sizes had names, a number meant a square for ViT's processors and the short side for these.
        if (size.ValueKind == JsonValueKind.Number)
            isShort =
                type.Length == 0
                    ? Flag(config, "do_center_crop", false)
                    : ShortSideTypes.Any(t => type.StartsWith(t, StringComparison.Ordinal));
        if (type.StartsWith("ConvNext", StringComparison.Ordinal) || Number(config, "crop_pct") is not null)
            return Share(p, config, height);
        // transformers' LevitImageProcessor: int((256 / 224) * shortest_edge).
        if (type.StartsWith("Levit", StringComparison.Ordinal) && isShort)
            height = (int)(256.0 / 224 * height);
        return isShort ? p with { ResizeShortSide = height } : p with { ResizeHeight = height, ResizeWidth = width };
    }

    private static readonly string[] ShortSideTypes =
    [
        "CLIP",
        "ChineseCLIP",
        "Bit",
        "ConvNext",
        "Levit",
        "MobileNet",
        "MobileViT",
        "PoolFormer",
        "EfficientFormer",
    ];

    /// <summary>
    /// ConvNeXt's and its followers': below 384 pixels the short side divided by a share, then the middle; from 384 on a square.
    /// </summary>
    private static Preprocessing Share(Preprocessing p, JsonElement config, int side)
    {
        var share = Number(config, "crop_pct") ?? 224.0 / 256;
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
        var factor = !Flag(config, "do_rescale", true) ? 1 : Number(config, "rescale_factor") ?? 1.0 / 255;
        var shift = Flag(config, "rescale_offset", false) ? 1 : 0;
        if (
            !Flag(config, "do_normalize", true)
            || !config.TryGetProperty("image_mean", out var mean)
            || mean.ValueKind == JsonValueKind.Null
        )
            // Without a normalization the values are (x - offset) / divisor, with the inverse of the factor.
            return p with { Offset = Whole(shift / factor), Divisor = Whole(1 / factor) };
        // (factor x - shift - mean) / std = (x / 255 - (mean + shift) / scale) / (std / scale), with scale = 255 factor.
        var scale = Whole(255 * factor);
        return p with
        {
            Mean = [.. Channels(config, "image_mean").Select(m => (m + shift) / scale)],
            Std = [.. Channels(config, "image_std").Select(s => s / scale)],
        };
    }

    /// <summary>1 / 0.00392156862745098 is 255: the number that the ten digits stand for.</summary>
    private static double Whole(double value) =>
        Math.Abs(value - Math.Round(value * 2) / 2) < 1e-6 * Math.Abs(value) ? Math.Round(value * 2) / 2 : value;

    private static Interpolation Resample(JsonElement config, List<string> problems)
    {
        // PIL's numbers of filters; 4 and 5 (box, Hamming) are not built.
        switch (Number(config, "resample"))
        {
            case null:
                return Interpolation.Bilinear;
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

    private static (int Height, int Width)? Size(JsonElement config, string key)
    {
        if (!config.TryGetProperty(key, out var size))
            return null;
        return size.ValueKind switch
        {
            JsonValueKind.Number => (size.GetInt32(), size.GetInt32()),
            JsonValueKind.Array => (size[0].GetInt32(), size[1].GetInt32()),
            JsonValueKind.Object when size.TryGetProperty("height", out var height) => (
                height.GetInt32(),
                size.GetProperty("width").GetInt32()
            ),
            JsonValueKind.Object when size.TryGetProperty("shortest_edge", out var edge) => (edge.GetInt32(), edge.GetInt32()),
            JsonValueKind.Null => null,
            _ => throw new FormatException($"{key} is {size.GetRawText()}, expected sides in pixels"),
        };
    }

    private static double[] Channels(JsonElement config, string key)
    {
        var value = config.GetProperty(key);
        double[] numbers =
            value.ValueKind == JsonValueKind.Number ? [value.GetDouble()] : [.. value.EnumerateArray().Select(v => v.GetDouble())];
        return numbers.Length switch
        {
            3 => numbers,
            1 => [numbers[0], numbers[0], numbers[0]],
            _ => throw new FormatException($"{key} has {numbers.Length} values, expected 3"),
        };
    }

    // A value of another type means something to Python (0 is false there), which must not become the default without a word.
    private static bool Flag(JsonElement config, string key, bool absent) =>
        !config.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null ? absent
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw new FormatException($"{key} is {value.GetRawText()}, expected true or false");

    /// <summary>Null where it is null or not there.</summary>
    private static double? Number(JsonElement config, string key) =>
        !config.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number ? value.GetDouble()
        : throw new FormatException($"{key} is {value.GetRawText()}, expected a number");

    private static string? Text(JsonElement config, string key) =>
        config.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement? Object(JsonElement config, string key) =>
        config.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;
}
