using TransferPipeline.Images;

namespace TransferPipeline.Backbones.Store;

/// <summary>
/// What the classes of transformers' image processors do where a configuration does not say it; types come without the word for the variant
/// on tensors, and as FeatureExtractor in old files.
/// </summary>
internal static class HuggingFaceTypes
{
    private static readonly string[] ShortSide =
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
        "ViTHybrid",
    ];

    private static readonly string[] Cropping =
    [
        "CLIP",
        "ChineseCLIP",
        "Bit",
        "Beit",
        "DeiT",
        "Levit",
        "MobileNet",
        "MobileViT",
        "PoolFormer",
        "EfficientFormer",
        "ViTHybrid",
        "Flava",
    ];

    private static readonly string[] Bicubic =
    [
        "CLIP",
        "ChineseCLIP",
        "Bit",
        "DeiT",
        "SiglipI",
        "Beit",
        "Levit",
        "PoolFormer",
        "Blip",
        "Flava",
        "EfficientFormer",
        "OwlV",
        "DPT",
        "ViTHybrid",
    ];

    /// <summary>Before sizes had names, a number meant the short side for these, and a square for ViT's and others.</summary>
    public static bool ResizesShortSide(string type) => ShortSide.Any(t => type.StartsWith(t, StringComparison.Ordinal));

    /// <summary>The filter of a configuration without <c>resample</c>.</summary>
    public static Interpolation Filter(string type) =>
        type.StartsWith("EfficientNet", StringComparison.Ordinal) ? Interpolation.Nearest
        : Bicubic.Any(t => type.StartsWith(t, StringComparison.Ordinal)) ? Interpolation.Bicubic
        : Interpolation.Bilinear;

    /// <summary>What a configuration without <c>do_center_crop</c> means; null where the size of a crop decides.</summary>
    public static bool? Crops(string type) =>
        Cropping.Any(t => type.StartsWith(t, StringComparison.Ordinal)) ? true
        : type.StartsWith("EfficientNet", StringComparison.Ordinal) ? false
        : null;

    /// <summary>
    /// Classes have a mean of their own, which a configuration without <c>do_normalize</c> means; MobileViT's has none. Without a class the
    /// mean may stand under another name.
    /// </summary>
    public static bool Normalizes(string type) => !type.StartsWith("MobileViT", StringComparison.Ordinal);
}
