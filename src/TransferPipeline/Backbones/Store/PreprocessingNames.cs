using TransferPipeline.Images;

namespace TransferPipeline.Backbones.Store;

/// <summary>Preprocessing of well-known families of encoders, by name.</summary>
internal static class PreprocessingNames
{
    private static readonly double[] ImageNetMean = [0.485, 0.456, 0.406];
    private static readonly double[] ImageNetStd = [0.229, 0.224, 0.225];
    private static readonly double[] Half = [0.5, 0.5, 0.5];

    /// <summary>OpenAI's, which OpenCLIP and the Hugging Face hub repeat.</summary>
    private static readonly double[] ClipMean = [0.48145466, 0.4578275, 0.40821073];
    private static readonly double[] ClipStd = [0.26862954, 0.26130258, 0.27577711];

    /// <summary>Names and what they mean, for help and messages.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> All { get; } =
    [
        new("torchvision", "short side 256/224 of the crop, bilinear, ImageNet's mean and deviation"),
        new("timm", "short side crop/0.875, bicubic, ImageNet's mean and deviation"),
        new("clip", "short side as the crop, bicubic, CLIP's mean and deviation"),
        new("siglip", "squeezed to a square, bicubic, mean and deviation 0.5"),
        new("dinov2", "short side 256/224 of the crop, bicubic, ImageNet's mean and deviation"),
        new("vit", "squeezed to a square, bilinear, mean and deviation 0.5"),
        new("levels", "as torchvision, but levels 0 to 255 as they are"),
    ];

    /// <param name="height">Of the network's input, pixels.</param>
    /// <exception cref="UsageException">There is no such name; the nearest is suggested.</exception>
    public static Preprocessing Find(string name, int height, int width)
    {
        var names = All.Select(p => p.Key).ToList();
        return name switch
        {
            // Multiplied first: 256 / 224 is 1 in whole numbers.
            "torchvision" => Short(height, width, s => s * 256 / 224, Interpolation.Bilinear, ImageNetMean, ImageNetStd),
            "timm" => Short(height, width, s => (int)Math.Floor(s / 0.875), Interpolation.Bicubic, ImageNetMean, ImageNetStd),
            "clip" => Short(height, width, s => s, Interpolation.Bicubic, ClipMean, ClipStd),
            "siglip" => Exact(height, width, Interpolation.Bicubic),
            "dinov2" => Short(height, width, s => s * 256 / 224, Interpolation.Bicubic, ImageNetMean, ImageNetStd),
            "vit" => Exact(height, width, Interpolation.Bilinear),
            "levels" => Short(height, width, s => s * 256 / 224, Interpolation.Bilinear, ImageNetMean, ImageNetStd) with
            {
                Offset = 0,
                Divisor = 1,
            },
            _ => throw new UsageException(
                $"preprocessing '{name}' is not one of {string.Join(", ", names)}{NearestName.Hint(name, names)}"
            ),
        };
    }

    private static Preprocessing Short(
        int height,
        int width,
        Func<int, int> resize,
        Interpolation interpolation,
        double[] mean,
        double[] std
    ) =>
        // torchvision's Resize of one number keeps the aspect; a network of other sides gets an exact size.
        height == width
            ? new()
            {
                ResizeShortSide = resize(height),
                CropHeight = height,
                CropWidth = width,
                Interpolation = interpolation,
                Mean = mean,
                Std = std,
            }
            : new()
            {
                ResizeHeight = height,
                ResizeWidth = width,
                Interpolation = interpolation,
                Mean = mean,
                Std = std,
            };

    private static Preprocessing Exact(int height, int width, Interpolation interpolation) =>
        new()
        {
            ResizeHeight = height,
            ResizeWidth = width,
            Interpolation = interpolation,
            Mean = Half,
            Std = Half,
        };
}
