using System.Text.Json;
using TransferPipeline.Images;

namespace TransferPipeline.Backbones.Store;

internal sealed partial class PreprocessingConfig
{
    private StatedPreprocessing HuggingFace(JsonElement config)
    {
        var problems = Unknown(config);
        var p = new Preprocessing { Interpolation = Resample(config, problems) };
        if (config.Flag("do_resize", true))
            p = Resized(p, config, problems);
        if (config.Flag("do_center_crop", HuggingFaceTypes.Crops(Type(config)) ?? config.TryGetProperty("crop_size", out _)))
        {
            if (config.Sides("crop_size") is { } crop)
                p = p with { CropHeight = crop.Height, CropWidth = crop.Width };
            else
                problems.Add(config.Value("do_center_crop") is null ? "has no crop_size" : "has do_center_crop without crop_size");
        }

        // Their center_crop starts at (size - crop) // 2.
        p = p with
        {
            CropRoundsDown = p.CropHeight > 0,
            Bgr = config.Flag("do_flip_channel_order", Type(config).StartsWith("MobileViT", StringComparison.Ordinal)),
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
        "crop_to_patches",
    ];

    /// <summary>The processor's class, without the word for its variant on tensors; empty when it is not stated.</summary>
    private static string Type(JsonElement config) =>
        (config.Text("image_processor_type") ?? config.Text("feature_extractor_type") ?? "").Replace("Fast", "", StringComparison.Ordinal);

    private static Preprocessing Resized(Preprocessing p, JsonElement config, List<string> problems)
    {
        var type = Type(config);
        if (config.Value("size") is not { } size)
        {
            problems.Add("has no size");
            return p;
        }

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
        if (config.Number("ensure_multiple_of") is { } step && (height % step != 0 || width % step != 0))
            problems.Add("has ensure_multiple_of");
        // transformers' PoolFormerImageProcessor: int(side / crop_pct), of which the crop follows, and no square from 384 pixels on.
        if (type.StartsWith("PoolFormer", StringComparison.Ordinal))
        {
            var share = config.TryGetProperty("crop_pct", out _) ? config.Number("crop_pct") ?? 1 : 0.9;
            return isShort || height == width && share != 1
                ? p with
                {
                    ResizeShortSide = (int)(height / share),
                }
                : p with
                {
                    ResizeHeight = (int)(height / share),
                    ResizeWidth = (int)(width / share),
                };
        }

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
                // Processors that come with their network name the filter as timm does.
                return config.Text("interpolation") is { } name ? Filter(name) : HuggingFaceTypes.Filter(Type(config));
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
}
