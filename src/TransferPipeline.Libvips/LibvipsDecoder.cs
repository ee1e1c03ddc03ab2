using TransferPipeline.Images;

namespace TransferPipeline.Libvips;

/// <summary>
/// Decodes JPEG, PNG, WebP and TIFF with libvips, whose JPEG decoder (libjpeg-turbo's) gives Pillow's bytes. Decodes whole:
/// shrinking on load would be faster and different. Thread-safe; each decode runs on its caller's thread alone.
/// </summary>
/// <param name="jpeg">Is asked first for a JPEG; null for none.</param>
/// <exception cref="JobFailedException">libvips is missing or cannot start.</exception>
public sealed class LibvipsDecoder(IJpegDecoder? jpeg = null) : PhotoDecoder($"libvips {VipsRuntime.Version}", jpeg)
{
    /// <summary>Rows asked for at once: whole rows of blocks of any JPEG, and few enough to stay in the cache.</summary>
    private const int RowsAtOnce = 16;

    protected override unsafe int DecodeOutside(PhotoFormat format, ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination)
    {
        fixed (byte* start = encoded)
        {
            if (!VipsImage.TryOpen(Loader(format), start, encoded.Length, out var image))
                throw Damaged(format, encoded, "its header cannot be read");
            try
            {
                CheckSize(format, image.Width, image.Height, options);
                var converter = PixelConverter.Of(format, encoded, image);
                destination.Resize(image.Width, image.Height);
                DecodeRows(format, encoded, image, converter, destination);
                return image.Orientation;
            }
            finally
            {
                image.Dispose();
            }
        }
    }

    private static unsafe void DecodeRows(
        PhotoFormat format, ReadOnlySpan<byte> encoded, in VipsImage image, PixelConverter converter, RgbImage destination)
    {
        var (width, height) = (destination.Width, destination.Height);
        var rowBytes = width * converter.BytesPerPixel;
        for (var y = 0; y < height; y += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, height - y);
            var rows = image.Rows(y, count);
            if (rows == null)
                throw Damaged(format, encoded, $"rows end before {y + count} of {height}");
            var source = new ReadOnlySpan<byte>(rows, rowBytes * count);
            converter.Convert(source, destination.Pixels.Slice(y * width * 3, count * width * 3));
            Vips.Free(rows);
        }
    }

    /// <summary>libvips' own messages gather in one buffer for all threads, so the reason is told from the file instead.</summary>
    private static ImageDecodeException Damaged(PhotoFormat format, ReadOnlySpan<byte> encoded, string what)
    {
        Vips.ErrorClear();
        var adjective = PhotoFormats.EndsEarly(format, encoded) ? "truncated" : "damaged";
        return new ImageDecodeException($"{adjective} {format.Name()}: {what}");
    }

    private static ReadOnlySpan<byte> Loader(PhotoFormat format) => format switch
    {
        PhotoFormat.Jpeg => "jpegload_buffer\0"u8,
        PhotoFormat.Png => "pngload_buffer\0"u8,
        PhotoFormat.WebP => "webpload_buffer\0"u8,
        _ => "tiffload_buffer\0"u8,
    };
}
