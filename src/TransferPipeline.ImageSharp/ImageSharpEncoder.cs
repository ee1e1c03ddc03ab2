using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.PixelFormats;
using TransferPipeline.Images;

namespace TransferPipeline.ImageSharp;

/// <summary>Writes JPEG with ImageSharp.</summary>
internal sealed class ImageSharpEncoder : IImageEncoder
{
    /// <summary>From this quality on colours keep the full resolution, as in libvips.</summary>
    private const int FullColourQuality = 90;

    public byte[] EncodeJpeg(RgbImage image, int quality)
    {
        using var picture = Image.LoadPixelData<Rgb24>(image.Pixels, image.Width, image.Height);
        using var stream = new MemoryStream();
        picture.SaveAsJpeg(
            stream,
            new JpegEncoder
            {
                Quality = quality,
                ColorType = quality < FullColourQuality ? JpegColorType.YCbCrRatio420 : JpegColorType.YCbCrRatio444,
            }
        );
        return stream.ToArray();
    }
}
