namespace TransferPipeline.Images;

/// <summary>
/// What every decoder does alike: limits, the format by its first bytes, the formats that need no outside library (PPM, BMP,
/// GIF) and EXIF orientation. An adapter adds JPEG, PNG, WebP and TIFF.
/// </summary>
/// <param name="name">The pixels that it gives, with a version, such as <c>pillow 1</c>.</param>
/// <param name="library">Name and version of the adapter's library.</param>
/// <param name="jpeg">Decodes plain JPEG first, where it can; what it does not decode, the adapter's library decodes or refuses. Null for
/// none.</param>
internal abstract class PhotoDecoder(string name, string library, IJpegDecoder? jpeg = null) : IImageDecoder
{
    /// <summary>
    /// The decoder whose pixels are those of Pillow's <c>convert("RGB")</c>; its version is raised when a photo's pixels change.
    /// </summary>
    public const string PillowContract = "pillow 1";

    public string Name => name;

    public string Libraries => jpeg is null ? library : $"{library}, {jpeg.Name}";

    public void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination) =>
        Decode(encoded, options, destination, null);

    public void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination, IPhotoRegion? region)
    {
        if (encoded.IsEmpty)
            throw new ImageDecodeException("empty file");
        if (encoded.Length > options.MaxBytes)
            throw new ImageDecodeException($"{encoded.Length} bytes; the limit is {options.MaxBytes}");
        var format = PhotoFormats.Detect(encoded);
        var end = JpegEnd.Unknown;
        // Before any library sees the file: libraries read past these faults, with pixels that Pillow would not give.
        if (format == PhotoFormat.Tiff)
            CheckTiff(encoded, options);
        else if (format == PhotoFormat.Png)
            PngChunks.CheckHeader(encoded);
        else if (format == PhotoFormat.Jpeg)
            end = CheckJpeg(encoded);
        // Pillow turns a TIFF while it loads it, whatever the options.
        var orientation = options.ExifTranspose || format == PhotoFormat.Tiff ? ExifOrientation.Of(format, encoded) : 1;
        // Of a turned photo the region is known only when all of it was turned.
        if (orientation != 1)
            region = null;
        switch (format)
        {
            case PhotoFormat.Unknown:
                throw new ImageDecodeException(UnknownFile.Describe(encoded));
            case PhotoFormat.Ppm:
                PpmDecoder.Decode(encoded, options, destination);
                break;
            case PhotoFormat.Bmp:
                BmpDecoder.Decode(encoded, options, destination);
                break;
            case PhotoFormat.Gif:
                GifDecoder.Decode(encoded, options, destination);
                break;
            case PhotoFormat.Jpeg when jpeg is not null && jpeg.TryDecode(encoded, options, destination, region):
                break;
            default:
                // Other formats check sums at their end.
                var part = format == PhotoFormat.Jpeg && end == JpegEnd.Regular ? region : null;
                DecodeOutside(format, encoded, options, destination, part);
                break;
        }

        ExifOrientation.Apply(orientation, destination);
    }

    /// <summary>Decodes a JPEG, PNG, WebP or TIFF file as it is stored.</summary>
    /// <param name="region">
    /// What will be read of a JPEG that is known to have its end; other pixels may be left undefined. Null for all.
    /// </param>
    protected abstract void DecodeOutside(
        PhotoFormat format,
        ReadOnlySpan<byte> encoded,
        DecodeOptions options,
        RgbImage destination,
        IPhotoRegion? region
    );

    /// <summary>Refuses sizes that no photo has, or that are over the limit; call it before any pixel is decoded.</summary>
    /// <exception cref="ImageDecodeException">A side is not positive, or there are more pixels than allowed.</exception>
    protected internal static void CheckSize(PhotoFormat format, long width, long height, DecodeOptions options)
    {
        if (width <= 0 || height <= 0)
            throw new ImageDecodeException($"damaged {format.Name()}: size {width} x {height}");
        if (!options.Allows(width, height))
            throw new ImageDecodeException($"{width} x {height} pixels; the limit is {options.MaxPixels}");
    }

    private static JpegEnd CheckJpeg(ReadOnlySpan<byte> encoded)
    {
        JpegKind.Check(encoded);
        var end = JpegScan.End(encoded, out var at);
        switch (end)
        {
            case JpegEnd.Broken:
                throw new ImageDecodeException(
                    $"damaged JPEG: its pixels end at a wrong marker (FF{encoded[at - 1]:X2} before byte {at} of {encoded.Length})"
                );
            case JpegEnd.Incomplete:
                throw new ImageDecodeException("truncated JPEG: it is progressive and lacks its last scans");
        }

        return end;
    }

    private static void CheckTiff(ReadOnlySpan<byte> encoded, DecodeOptions options)
    {
        TiffKind.Check(encoded);
        var end = TiffTags.End(encoded);
        if (end > encoded.Length)
            throw new ImageDecodeException($"truncated TIFF: its pixels end at byte {end} of {encoded.Length}");
        TiffDeflate.Check(encoded, options);
    }
}
