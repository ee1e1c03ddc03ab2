namespace TransferPipeline.Images;

/// <summary>Turns encoded photos into RGB as PIL's <c>Image.open(...).convert("RGB")</c> does.</summary>
public interface IImageDecoder
{
    /// <summary>
    /// The pixels that it gives, with a version, such as <c>pillow 1</c>: part of the recipe. Two decoders of one name give the same
    /// pixels;
    /// the version is raised when a photo's pixels change.
    /// </summary>
    string Name { get; }

    /// <summary>The libraries that decode, with their versions, for people; not part of the recipe.</summary>
    string Libraries => Name;

    /// <summary>Decodes <paramref name="encoded"/> into <paramref name="destination"/>. Thread-safe.</summary>
    /// <exception cref="ImageDecodeException">The photo is damaged, of an unknown format or over a limit.</exception>
    void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination);

    /// <summary>Decodes what will be read of the photo, or more. The destination has the whole photo's size all the same.</summary>
    /// <param name="region">
    /// What will be read; null for all. Pixels outside it may hold anything. Whether a damaged photo fails does not depend on it.
    /// </param>
    /// <exception cref="ImageDecodeException">The photo is damaged, of an unknown format or over a limit.</exception>
    internal void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination, IPhotoRegion? region) =>
        Decode(encoded, options, destination);
}

/// <summary>Limits against bombs, and whether EXIF orientation is applied.</summary>
public sealed record DecodeOptions
{
    /// <summary>Largest encoded size in bytes; a larger photo is recorded as failed.</summary>
    public long MaxBytes { get; init; } = 256L << 20;

    /// <summary>
    /// Largest width x height in pixels, checked before the pixels are decoded. Pillow's own bomb error is at 179 million.
    /// </summary>
    public long MaxPixels { get; init; } = 178_956_970;

    /// <summary>Turn the photo as its EXIF orientation states. Off, as in torchvision's ImageFolder.</summary>
    [Option("exif-transpose", "Turn photos as EXIF says.")]
    public bool ExifTranspose { get; init; }

    /// <summary>
    /// A picture of this size is not over the limit. Beyond 715 million pixels its bytes would not fit one array, whatever the limit is.
    /// </summary>
    // In double: the product of two damaged 64-bit sides would overflow a long.
    public bool Allows(long width, long height) => (double)width * height <= Math.Min(MaxPixels, (int.MaxValue - RgbImage.Slack) / 3);
}

/// <summary>One photo cannot be decoded; caught by the extractor, which records the reason and goes on.</summary>
public sealed class ImageDecodeException(string reason, Exception? inner = null) : Exception(reason, inner);
