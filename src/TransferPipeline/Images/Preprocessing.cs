using System.Text.Json.Serialization;

namespace TransferPipeline.Images;

/// <summary>Resampling filter, with PIL's names.</summary>
public enum Interpolation
{
    /// <summary>The nearest pixel.</summary>
    Nearest,

    /// <summary>A triangle over two pixels, wider when the photo shrinks (antialiased).</summary>
    Bilinear,

    /// <summary>Keys' cubic with a = -0.5 over four pixels, wider when the photo shrinks.</summary>
    Bicubic,

    /// <summary>A windowed sinc over six pixels, wider when the photo shrinks.</summary>
    Lanczos,
}

/// <summary>Order of a batch tensor's axes.</summary>
internal enum TensorLayout
{
    Nchw,
    Nhwc,
}

/// <summary>
/// From a decoded photo to a network's input: torchvision's Resize, CenterCrop and Normalize on a PIL image.
/// A channel's value is <c>(pixel / 255 - Mean) / Std</c>, or <c>(pixel - Offset) / Divisor</c> when <see cref="Divisor"/> is not 0.
/// </summary>
public sealed record Preprocessing
{
    /// <summary>Limit of a side that a file or an option states.</summary>
    internal const int MostPixels = 100_000;

    /// <summary>
    /// Short side after Resize(s); 0 when <see cref="ResizeWidth"/> and <see cref="ResizeHeight"/> are given or nothing is resized.
    /// </summary>
    public int ResizeShortSide { get; init; }

    /// <summary>Width after Resize(w, h) in pixels; 0 when the short side decides.</summary>
    public int ResizeWidth { get; init; }

    /// <summary>Height after Resize(w, h) in pixels; 0 when the short side decides.</summary>
    public int ResizeHeight { get; init; }

    /// <summary>Filter of the resize, Pillow's.</summary>
    public Interpolation Interpolation { get; init; } = Interpolation.Bilinear;

    /// <summary>Centre crop's height and width; 0 keeps all.</summary>
    public int CropWidth { get; init; }

    /// <summary>Centre crop's height in pixels; 0 keeps all.</summary>
    public int CropHeight { get; init; }

    /// <summary>
    /// Where the crop's position ends in a half it is rounded down, as Hugging Face's processors do, and not to the even number, as
    /// torchvision does.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool CropRoundsDown { get; init; }

    /// <summary>Per channel R, G, B, of values in 0..1.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [0.485, 0.456, 0.406];

    /// <summary>Per channel R, G, B, of values in 0..1.</summary>
    public IReadOnlyList<double> Std { get; init; } = [0.229, 0.224, 0.225];

    /// <summary>The other form, in levels 0..255, e.g. (pixel - 127) / 128; used when <see cref="Divisor"/> is not 0.</summary>
    public double Offset { get; init; }

    /// <summary>Of the other form; 0 for mean and deviation.</summary>
    public double Divisor { get; init; }

    /// <summary>Channels in the order B, G, R.</summary>
    public bool Bgr { get; init; }

    /// <summary>Height of every result; 0 when it depends on the photo (neither a crop nor a fixed resize).</summary>
    internal int OutputHeight => CropHeight > 0 ? CropHeight : ResizeHeight;

    /// <summary>Width of every result; 0 when it depends on the photo.</summary>
    internal int OutputWidth => CropWidth > 0 ? CropWidth : ResizeWidth;

    /// <summary>
    /// torchvision's classification default for an S x S network: Resize(S * 256 / 224), CenterCrop(S), ImageNet mean and deviation.
    /// </summary>
    public static Preprocessing ImageNet(int size = 224, Interpolation interpolation = Interpolation.Bilinear) =>
        new()
        {
            ResizeShortSide = size * 256 / 224,
            CropWidth = size,
            CropHeight = size,
            Interpolation = interpolation,
        };
}
