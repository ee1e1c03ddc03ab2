using TransferPipeline.Images;

namespace TransferPipeline.Backbones.Store;

/// <summary>
/// What the classes of transformers' image processors do where a configuration does not say it; types come without the word for the variant
/// on tensors, and as FeatureExtractor in old files.
/// </summary>
internal static class HuggingFaceTypes
{
    private static readonly (string Type, Defaults Defaults)[] Types =
    [
        ("CLIP", new(true, true, Interpolation.Bicubic)),
        ("ChineseCLIP", new(true, true, Interpolation.Bicubic)),
        ("Bit", new(true, true, Interpolation.Bicubic)),
        ("Levit", new(true, true, Interpolation.Bicubic)),
        ("PoolFormer", new(true, true, Interpolation.Bicubic)),
        ("EfficientFormer", new(true, true, Interpolation.Bicubic)),
        ("ViTHybrid", new(true, true, Interpolation.Bicubic)),
        ("MobileNet", new(true, true, Interpolation.Bilinear)),
        ("MobileViT", new(true, true, Interpolation.Bilinear)),
        ("ConvNext", new(true, null, Interpolation.Bilinear)),
        ("Beit", new(false, true, Interpolation.Bicubic)),
        ("DeiT", new(false, true, Interpolation.Bicubic)),
        ("Flava", new(false, true, Interpolation.Bicubic)),
        ("SiglipI", new(false, null, Interpolation.Bicubic)),
        ("Blip", new(false, null, Interpolation.Bicubic)),
        ("OwlV", new(false, null, Interpolation.Bicubic)),
        ("DPT", new(false, null, Interpolation.Bicubic)),
        ("EfficientNet", new(false, false, Interpolation.Nearest)),
    ];

    /// <summary>Before sizes had names, a number meant the short side for some, and a square for ViT's and others.</summary>
    public static bool ResizesShortSide(string type) => Of(type).ShortSide;

    /// <summary>The filter of a configuration without <c>resample</c>.</summary>
    public static Interpolation Filter(string type) => Of(type).Filter;

    /// <summary>What a configuration without <c>do_center_crop</c> means; null where the size of a crop decides.</summary>
    public static bool? Crops(string type) => Of(type).Crops;

    /// <summary>
    /// Classes have a mean of their own, which a configuration without <c>do_normalize</c> means; MobileViT's has none. Without a class the
    /// mean may stand under another name.
    /// </summary>
    public static bool Normalizes(string type) => !type.StartsWith("MobileViT", StringComparison.Ordinal);

    private static Defaults Of(string type) =>
        Array.Find(Types, t => type.StartsWith(t.Type, StringComparison.Ordinal)).Defaults ?? new(false, null, Interpolation.Bilinear);

    /// <param name="ShortSide">A size that is a number is that of the short side.</param>
    /// <param name="Crops">Null where the size of a crop decides.</param>
    private sealed record Defaults(bool ShortSide, bool? Crops, Interpolation Filter);
}
