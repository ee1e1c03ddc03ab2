using TransferPipeline.Images;
using TransferPipeline.ImageSharp;
using TransferPipeline.LibjpegTurbo;
using TransferPipeline.NetVips;

namespace TransferPipeline.Tests.Images;

/// <summary>The default decoder and encoder, and each way to Pillow's pixels.</summary>
internal static class TestDecoder
{
    private static readonly Lazy<IImageDecoder> Alone = new(() => new NetVipsDecoder());
    private static readonly Lazy<IImageDecoder> Both = new(() => new NetVipsDecoder(new TurboJpegDecoder()));

    /// <summary>libvips alone, and with libjpeg-turbo where it is found.</summary>
    public static IEnumerable<string> Pillow => TurboJpegDecoder.Problem is null ? ["libvips", "libvips and libjpeg-turbo"] : ["libvips"];

    public static IImageDecoder Create() => DefaultTools.Create().Decoder;

    /// <param name="libraries">One of <see cref="Pillow"/>, or "imagesharp".</param>
    public static IImageDecoder Of(string libraries) =>
        libraries switch
        {
            "libvips" => Alone.Value,
            "imagesharp" => new ImageSharpDecoder(),
            _ => Both.Value,
        };

    public static IImageEncoder CreateEncoder() => DefaultTools.Create().Encoder;

    /// <summary>Decodes one file with default options.</summary>
    public static RgbImage Decode(string file, DecodeOptions? options = null, IImageDecoder? decoder = null)
    {
        var image = new RgbImage();
        (decoder ?? Create()).Decode(File.ReadAllBytes(file), options ?? new DecodeOptions(), image);
        return image;
    }
}
