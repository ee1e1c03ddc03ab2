using TransferPipeline.Images;

namespace TransferPipeline.LibjpegTurbo;

/// <summary>
/// Decodes JPEG in grey, YCbCr or RGB with libjpeg-turbo, whose pixels are Pillow's. It leaves a photo with any irregularity
/// to the decoder behind it. Thread-safe.
/// </summary>
/// <remarks>
/// Each photo takes a new instance, which costs one microsecond. One that is used again keeps the tables of the photo before, with
/// which it would decode a damaged photo that lacks its own, and it cannot be used again after an error in a header.
/// </remarks>
internal sealed class TurboJpegDecoder : IJpegDecoder
{
    private readonly Lazy<string> _name = new(() => $"libjpeg-turbo {TurboVersion.Of(TurboLibrary.Path) ?? "3"}");

    /// <exception cref="JobFailedException">libjpeg-turbo is missing, too old or cannot start.</exception>
    public TurboJpegDecoder()
    {
        if (TurboLibrary.Problem is { } problem)
            throw new JobFailedException($"libjpeg-turbo: {problem}");
        // A library that cannot start fails here once, and not at the first photo.
        new TurboInstance().Dispose();
    }

    /// <summary>Why libjpeg-turbo cannot be used on this machine, in one line; null when it can.</summary>
    public static string? Problem => TurboLibrary.Problem;

    /// <summary>Version and file of the library that was found, or what is looked for.</summary>
    public static string Version =>
        TurboLibrary.Problem is null
            ? $"libjpeg-turbo {TurboVersion.Of(TurboLibrary.Path) ?? "3"} ({TurboLibrary.Path})"
            : "libjpeg-turbo 3";

    public string Name => _name.Value;

    public bool TryDecode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination, IPhotoRegion? region = null)
    {
        using var instance = new TurboInstance();
        return TryDecode(instance, encoded, options, destination, region);
    }

    private static unsafe bool TryDecode(
        TurboInstance instance,
        ReadOnlySpan<byte> encoded,
        DecodeOptions options,
        RgbImage destination,
        IPhotoRegion? region
    )
    {
        fixed (byte* start = encoded)
        {
            if (!instance.TryReadHeader(start, encoded.Length) || !IsPlain(instance))
                return false;
            var (width, height) = (instance.Get(TurboJpeg.Width), instance.Get(TurboJpeg.Height));
            // The decoder behind refuses it, with the message that all decoders share.
            if (!options.Allows(width, height))
                return false;
            var part = Part(instance, encoded, width, height, region);
            if ((part.Width, part.Height) != (width, height) && !instance.TrySetPart(part))
                return false;
            destination.Resize(width, height);
            fixed (byte* pixels = destination.Pixels)
                // A part goes to its place in the full photo, so that nothing behind has to know of it.
                return instance.TryDecode(start, encoded.Length, pixels + ((nint)part.Y * width + part.X) * 3, width * 3);
        }
    }

    /// <summary>
    /// All of it where no part would do: in a progressive photo that lacks its last scans, blocks are smoothed by those around them;
    /// and libjpeg-turbo reads no further than a part's last row, so that only a file which is known to have its end is read in part.
    /// </summary>
    private static PixelBox Part(TurboInstance instance, ReadOnlySpan<byte> encoded, int width, int height, IPhotoRegion? region) =>
        region is null || instance.Get(TurboJpeg.Progressive) != 0 || JpegScan.End(encoded, out _) != JpegEnd.Regular
            ? new(0, 0, width, height)
            : DecodedPart.Of(region.Region(width, height), width, height, instance.Get(TurboJpeg.Subsampling));

    /// <summary>8 bits a sample, lossy, and colours that libjpeg-turbo turns into RGB; inks are for the other decoder.</summary>
    private static bool IsPlain(TurboInstance instance) =>
        instance.Get(TurboJpeg.Precision) == 8
        && instance.Get(TurboJpeg.Lossless) == 0
        && instance.Get(TurboJpeg.ColorSpace) is TurboJpeg.ColorsRgb or TurboJpeg.ColorsYCbCr or TurboJpeg.ColorsGrey;
}
