using TransferPipeline.Images;

namespace TransferPipeline.Reports;

/// <summary>
/// Makes the small square JPEGs of a page from encoded photos: short side resized, centre kept, turned as EXIF states. Not thread-safe.
/// </summary>
/// <param name="side">Width and height in pixels.</param>
internal sealed class ThumbnailMaker(IImageDecoder decoder, IImageEncoder encoder, int side = ThumbnailMaker.Side)
{
    /// <summary>Enough for a cell of a page on a dense display, about 4 kB.</summary>
    public const int Side = 128;

    /// <summary>Blocks are not seen at this size and quality.</summary>
    private const int Quality = 78;

    private readonly Preprocessor _preprocessor = new(
        new()
        {
            ResizeShortSide = side,
            CropWidth = side,
            CropHeight = side,
        }
    );
    private readonly RgbImage _photo = new();
    private readonly RgbImage _thumbnail = new();

    /// <returns>The JPEG, or null for a photo that cannot be decoded.</returns>
    public byte[]? Make(ReadOnlySpan<byte> encoded)
    {
        try
        {
            // With the preprocessor, so that a decoder may leave out what the crop does not need.
            decoder.Decode(encoded, new DecodeOptions { ExifTranspose = true }, _photo, _preprocessor);
            _thumbnail.Resize(side, side);
            _preprocessor.RunBytes(_photo, _thumbnail.Pixels);
        }
        catch (ImageDecodeException)
        {
            return null; // a page without one picture is still a page; extraction has recorded the reason
        }

        return encoder.EncodeJpeg(_thumbnail, Quality);
    }
}
