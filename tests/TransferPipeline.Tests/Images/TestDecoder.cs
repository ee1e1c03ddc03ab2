using TransferPipeline.Default;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>The default decoder and encoder.</summary>
internal static class TestDecoder
{
    public static IImageDecoder Create() => DefaultTools.Create().Decoder;

    public static IImageEncoder CreateEncoder() => DefaultTools.Create().Encoder;

    /// <summary>Decodes one file with default options.</summary>
    public static RgbImage Decode(string file, DecodeOptions? options = null)
    {
        var image = new RgbImage();
        Create().Decode(File.ReadAllBytes(file), options ?? new DecodeOptions(), image);
        return image;
    }
}
