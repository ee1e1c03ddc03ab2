using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>The decoder of the package set that is built.</summary>
internal static class TestDecoder
{
    public static IImageDecoder Create() =>
#if CARD
        new TransferPipeline.ImageSharp.ImageSharpDecoder();
#else
        new TransferPipeline.Libvips.LibvipsDecoder(new TransferPipeline.LibjpegTurbo.TurboJpegDecoder());
#endif

    public static IImageEncoder CreateEncoder() =>
#if CARD
        new TransferPipeline.ImageSharp.ImageSharpEncoder();
#else
        new Libvips.LibvipsEncoder();
#endif

    /// <summary>A decoder whose JPEG pixels are Pillow's to the bit; skips the calling test where none is built.</summary>
    public static IImageDecoder Exact()
    {
#if NPM_NATIVES
        return new TransferPipeline.Libvips.LibvipsDecoder(new TransferPipeline.LibjpegTurbo.TurboJpegDecoder());
#else
        Assert.Skip("needs libvips, whose JPEG pixels are Pillow's to the bit");
        return Create();
#endif
    }

    /// <summary>
    /// The decoder gives Pillow's bytes for this file. ImageSharp's JPEG transform works in floats and its palettes of TIFF are rounded;
    /// how far it is from Pillow then, and which TIFF files it refuses, is for ImageSharp's own tests.
    /// </summary>
    public static bool IsExact(string file) =>
#if CARD
        !file.EndsWith(".jpg", StringComparison.Ordinal) && file is not ("bit.tiff" or "palette.tiff" or "rgb-jpeg.tiff" or "grey-32-bit.tiff" or "grey-float.tiff");
#else
        file.Length > 0;
#endif

    /// <summary>Decodes one file with default options.</summary>
    public static RgbImage Decode(string file, DecodeOptions? options = null)
    {
        var image = new RgbImage();
        Create().Decode(File.ReadAllBytes(file), options ?? new DecodeOptions(), image);
        return image;
    }
}
