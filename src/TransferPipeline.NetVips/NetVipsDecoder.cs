using NetVips;
using TransferPipeline.Images;

namespace TransferPipeline.NetVips;

/// <summary>
/// Decodes JPEG, PNG, WebP and TIFF with libvips, whose JPEG decoder (libjpeg-turbo's) gives Pillow's bytes. Decodes in full
/// size, of a JPEG down to the last row that is read: shrinking on load would be faster and give other pixels. Thread-safe; each
/// decode runs on its caller's thread alone.
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

    protected override void DecodeOutside(
        PhotoFormat format,
        ReadOnlySpan<byte> encoded,
        DecodeOptions options,
        RgbImage destination,
        IPhotoRegion? region
    )
    {
        // Opening reads the header alone, so that the size is checked before any pixel takes memory.
        using var image = Open(format, encoded);
        CheckSize(format, image.Width, image.Height, options);
        var converter = PixelConverter.Of(format, encoded, image);
        destination.Resize(image.Width, image.Height);
        var rows = region?.Region(image.Width, image.Height);
        var warnings = VipsRuntime.Warnings;
        DecodeRows(format, encoded, image, converter, destination, rows is { } part ? (part.Y, part.Y + part.Height) : (0, image.Height));
        // Where a line of fax has a wrong length, or JPEG is damaged, each version of libtiff resumes elsewhere.
        if (format == PhotoFormat.Tiff && VipsRuntime.Warnings != warnings && TiffKind.Guessed(encoded) is { } compression)
            throw Damaged(format, encoded, $"its {compression} data are damaged");
    }

    private static Image Open(PhotoFormat format, ReadOnlySpan<byte> encoded)
    {
        try
        {
            // By the loader's name: NetVips' own search would try every loader's test on each photo.
            return (Image)
                Operation.Call(
                    Loader(format),
                    new VOption { { "access", Enums.Access.Sequential }, { "fail_on", FailOn(format, encoded) } },
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
    /// libtiff's errors are all errors, else the rest would be black; of PNG and JPEG Pillow reads what libvips calls an error. In tiles
    /// libvips 8.18 heeds errors at the level of warnings alone, and passes over warnings all the same (tiff2vips.c: rtiff_read_tile).
    /// </summary>
    private static Enums.FailOn FailOn(PhotoFormat format, ReadOnlySpan<byte> encoded) =>
        format != PhotoFormat.Tiff ? Enums.FailOn.Truncated
        : TiffTags.IsTiled(encoded) ? Enums.FailOn.Warning
        : Enums.FailOn.Error;

    private static unsafe void DecodeRows(
        PhotoFormat format,
        ReadOnlySpan<byte> encoded,
        Image image,
        PixelConverter converter,
        RgbImage destination,
        (int First, int End) rows
    )
    {
        // libvips decodes on demand: rows are requested from top to bottom, as sequential access requires.
        using var region = Region.New(image);
        var (width, height) = (destination.Width, destination.Height);
        var rowBytes = width * converter.BytesPerPixel;
        // Nothing is decoded behind the last row. Those before the first are asked for all the same: otherwise the message of a damaged
        // photo would name other rows than that of the whole.
        for (var y = 0; y < rows.End; y += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, height - y);
            var isRead = y + count > rows.First;
            // libvips decodes whole rows either way, and copies those columns alone.
            var pixels = VipsRows.Fetch(region, y, count, isRead ? width : 1);
            if (pixels == null)
                throw Damaged(format, encoded, $"rows end before {y + count} of {height}");
            if (isRead)
                converter.Convert(
                    new ReadOnlySpan<byte>(pixels, rowBytes * count),
                    destination.Pixels.Slice(y * width * 3, count * width * 3)
                );
            VipsRows.Free(pixels);
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
