using NetVips;
using TransferPipeline.Images;

namespace TransferPipeline.NetVips;

/// <summary>
/// Decodes JPEG, PNG, WebP and TIFF with libvips, whose JPEG decoder (libjpeg-turbo's) gives Pillow's bytes. Decodes the whole photo:
/// shrinking on load would be faster and give other pixels. Thread-safe; each decode runs on its caller's thread alone.
/// </summary>
/// <param name="jpeg">Decodes plain JPEG first, where it can; null for none.</param>
/// <exception cref="JobFailedException">libvips is missing or cannot start.</exception>
internal sealed class NetVipsDecoder(IJpegDecoder? jpeg = null) : PhotoDecoder(PillowContract, $"libvips {VipsRuntime.Version}", jpeg)
{
    /// <summary>Rows per call of libvips: whole rows of blocks of any JPEG, and few enough to stay in the cache.</summary>
    private const int RowsAtOnce = 16;

    /// <summary>Why libvips cannot be used, in one line; null when it can.</summary>
    public static string? Problem => VipsRuntime.Problem;

    /// <summary>The managed package's version, which needs no native library.</summary>
    public static string Version => $"NetVips {typeof(Image).Assembly.GetName().Version!.ToString(3)}";

    protected override int DecodeOutside(PhotoFormat format, ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination)
    {
        // Opening reads the header alone, so that the size is checked before any pixel takes memory.
        using var image = Open(format, encoded);
        CheckSize(format, image.Width, image.Height, options);
        var converter = PixelConverter.Of(format, encoded, image);
        destination.Resize(image.Width, image.Height);
        DecodeRows(format, encoded, image, converter, destination);
        return image.Contains("orientation") && image.Get("orientation") is int and >= 1 and <= 8 and var orientation ? orientation : 1;
    }

    private static Image Open(PhotoFormat format, ReadOnlySpan<byte> encoded)
    {
        try
        {
            // By the loader's name: NetVips' own search would try every loader's test on each photo.
            return (Image)
                Operation.Call(
                    Loader(format),
                    new VOption { { "access", Enums.Access.Sequential }, { "fail_on", FailOn(format) } },
                    format switch
                    {
                        PhotoFormat.Png => PngChunks.WithWholePalette(encoded),
                        PhotoFormat.Tiff => TiffKind.Prepared(encoded),
                        _ => encoded.ToArray(),
                    }
                );
        }
        catch (VipsException)
        {
            throw Damaged(format, encoded, "its header cannot be read");
        }
    }

    /// <summary>
    /// libtiff's errors are all errors, else the rest would be black; of PNG and JPEG Pillow reads what libvips calls an error.
    /// </summary>
    private static Enums.FailOn FailOn(PhotoFormat format) => format == PhotoFormat.Tiff ? Enums.FailOn.Error : Enums.FailOn.Truncated;

    private static unsafe void DecodeRows(
        PhotoFormat format,
        ReadOnlySpan<byte> encoded,
        Image image,
        PixelConverter converter,
        RgbImage destination
    )
    {
        // libvips decodes on demand: rows are asked for from top to bottom, as sequential access requires.
        using var region = Region.New(image);
        var (width, height) = (destination.Width, destination.Height);
        var rowBytes = width * converter.BytesPerPixel;
        for (var y = 0; y < height; y += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, height - y);
            var rows = VipsRows.Fetch(region, y, count, width);
            if (rows == null)
                throw Damaged(format, encoded, $"rows end before {y + count} of {height}");
            converter.Convert(new ReadOnlySpan<byte>(rows, rowBytes * count), destination.Pixels.Slice(y * width * 3, count * width * 3));
            VipsRows.Free(rows);
        }
    }

    /// <summary>libvips' own messages gather in one buffer for all threads, so the reason follows from the file instead.</summary>
    private static ImageDecodeException Damaged(PhotoFormat format, ReadOnlySpan<byte> encoded, string what)
    {
        // Otherwise the text of every damaged photo would stay in that buffer for the rest of the run.
        VipsRows.ClearErrors();
        var adjective = PhotoFormats.EndsEarly(format, encoded) ? "truncated" : "damaged";
        return new ImageDecodeException($"{adjective} {format.Name()}: {what}");
    }

    private static string Loader(PhotoFormat format) =>
        format switch
        {
            PhotoFormat.Jpeg => "jpegload_buffer",
            PhotoFormat.Png => "pngload_buffer",
            PhotoFormat.WebP => "webpload_buffer",
            _ => "tiffload_buffer",
        };
}
