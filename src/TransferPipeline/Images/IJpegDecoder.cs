namespace TransferPipeline.Images;

/// <summary>A fast decoder of common JPEG files, which a <see cref="PhotoDecoder"/> tries before its own library.</summary>
internal interface IJpegDecoder
{
    /// <summary>Library and version, for people.</summary>
    string Name { get; }

    /// <summary>
    /// Decodes a sound photo of a common kind into what PIL makes of it; false, whatever the reason, when another decoder has to decide.
    /// Thread-safe.
    /// </summary>
    /// <param name="region">What has to be decoded; null for all.</param>
    bool TryDecode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination, IPhotoRegion? region = null);
}
