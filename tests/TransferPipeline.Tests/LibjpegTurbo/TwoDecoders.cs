using System.Security.Cryptography;
using TransferPipeline.Images;
using TransferPipeline.LibjpegTurbo;
using TransferPipeline.NetVips;

namespace TransferPipeline.Tests.LibjpegTurbo;

/// <summary>libvips alone, and with libjpeg-turbo before it.</summary>
internal static class TwoDecoders
{
    public static readonly TurboJpegDecoder Turbo = new();
    public static readonly NetVipsDecoder Alone = new();
    public static readonly NetVipsDecoder Both = new(Turbo);

    private static readonly DecodeOptions Small = new() { MaxPixels = 1 << 20 };

    /// <summary>The same pixels of the region, or the same reason.</summary>
    public static void AssertSame(byte[] encoded, string what, IPhotoRegion? region = null)
    {
        var (expected, actual) = (Result(Alone, encoded, Small, region), Result(Both, encoded, Small, region));
        Assert.True(expected == actual, $"{what}: {expected} by libvips alone, {actual} after libjpeg-turbo");
    }

    /// <summary>Size and hash of the region's pixels, or the reason.</summary>
    public static string Result(IImageDecoder decoder, byte[] encoded, DecodeOptions? options = null, IPhotoRegion? region = null)
    {
        var image = new RgbImage();
        try
        {
            decoder.Decode(encoded, options ?? new DecodeOptions(), image, region);
        }
        catch (ImageDecodeException e)
        {
            return e.Message;
        }

        return Text(image, region);
    }

    public static string Text(RgbImage image, IPhotoRegion? region = null)
    {
        var box = region?.Region(image.Width, image.Height) ?? new PixelBox(0, 0, image.Width, image.Height);
        using var pixels = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var y = box.Y; y < box.Y + box.Height; y++)
            pixels.AppendData(image.Row(y).Slice(box.X * 3, box.Width * 3));
        return $"{image.Width} x {image.Height}: {Convert.ToHexStringLower(pixels.GetHashAndReset())}";
    }
}
