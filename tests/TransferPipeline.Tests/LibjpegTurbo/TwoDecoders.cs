using System.Security.Cryptography;
using TransferPipeline.Images;
using TransferPipeline.LibjpegTurbo;
using TransferPipeline.NetVips;

namespace TransferPipeline.Tests.LibjpegTurbo;

/// <summary>libvips alone, and with libjpeg-turbo before it.</summary>
internal static class TwoDecoders
{
    public static readonly NetVipsDecoder Alone = new();

    private static readonly Lazy<TurboJpegDecoder> TurboOnce = new();
    private static readonly Lazy<NetVipsDecoder> BothOnce = new(() => new(Turbo));

    public static TurboJpegDecoder Turbo => TurboOnce.Value;

    public static NetVipsDecoder Both => BothOnce.Value;

    /// <summary>libvips alone, and both where libjpeg-turbo is found.</summary>
    public static IReadOnlyList<IImageDecoder> Available => TurboJpegDecoder.Problem is null ? [Alone, Both] : [Alone];

    private static readonly DecodeOptions Small = new() { MaxPixels = 1 << 20 };

    /// <summary>By every decoder the region's pixels of the whole photo, as libvips alone decodes it, or the same reason.</summary>
    public static void AssertSame(byte[] encoded, string what, IPhotoRegion? region = null)
    {
        var expected = Result(Alone, encoded, Small, region, wholly: true);
        foreach (var decoder in Available)
        {
            var actual = Result(decoder, encoded, Small, region);
            Assert.True(expected == actual, $"{what}: {expected} of the whole photo, {actual} by {decoder.Libraries}");
        }
    }

    /// <summary>Size and hash of the region's pixels, or the reason.</summary>
    /// <param name="wholly">Decode all of the photo, and not only what the region needs.</param>
    public static string Result(
        IImageDecoder decoder,
        byte[] encoded,
        DecodeOptions? options = null,
        IPhotoRegion? region = null,
        bool wholly = false
    )
    {
        var image = new RgbImage();
        try
        {
            decoder.Decode(encoded, options ?? new DecodeOptions(), image, wholly ? null : region);
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
