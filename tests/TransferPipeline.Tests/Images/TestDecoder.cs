using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>The decoder of the package set that is built.</summary>
internal static class TestDecoder
{
    public static IImageDecoder Create() =>
#if CARD
        new ImageSharp.ImageSharpDecoder();
#else
        new Libvips.LibvipsDecoder();
#endif

    /// <summary>Decodes one file with default options.</summary>
    public static RgbImage Decode(string file, DecodeOptions? options = null)
    {
        var image = new RgbImage();
        Create().Decode(File.ReadAllBytes(file), options ?? new DecodeOptions(), image);
        return image;
    }
}
