using TransferPipeline.Images;

namespace TransferPipeline.LibjpegTurbo;

/// <summary>
/// Decodes JPEG in grey, YCbCr or RGB with libjpeg-turbo, whose bytes are Pillow's. At the slightest irregularity it gives up,
/// and the decoder behind it says what the photo is worth. Thread-safe.
/// </summary>
/// <remarks>
/// Each photo takes a new instance, which costs one microsecond. One that is used again keeps the tables of the photo before, with
/// which it would decode a damaged photo that lacks its own, and after an error in a header it never gets over it.
/// </remarks>
public sealed class TurboJpegDecoder : IJpegDecoder
{
    /// <exception cref="JobFailedException">libjpeg-turbo is missing or cannot start.</exception>
    public TurboJpegDecoder()
    {
        Name = $"libjpeg-turbo {TurboVersion.Read()}";
        try
        {
            new TurboInstance().Dispose();
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new JobFailedException($"libjpeg-turbo does not load: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    public string Name { get; }

    public bool TryDecode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination, IPhotoRegion? region = null)
    {
        using var instance = new TurboInstance();
        return TryDecode(instance, encoded, options, destination, region);
    }

    private static unsafe bool TryDecode(TurboInstance instance, ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination, IPhotoRegion? region)
    {
        fixed (byte* start = encoded)
        {
            if (!instance.TryReadHeader(start, encoded.Length) || !IsPlain(instance))
                return false;
            var (width, height) = (instance.Get(TurboJpeg.Width), instance.Get(TurboJpeg.Height));
            if (!options.Allows(width, height))
                return false;
            var part = Part(instance, encoded, width, height, region);
            if ((part.Width, part.Height) != (width, height) && !instance.TrySetPart(part))
                return false;
            destination.Resize(width, height);
            fixed (byte* pixels = destination.Pixels)
                return instance.TryDecode(start, encoded.Length, pixels + ((nint)part.Y * width + part.X) * 3, width * 3);
        }
    }

    /// <summary>
    /// All of it where no part would do: in a progressive photo that lacks its last scans, blocks are smoothed by those around them;
    /// and libjpeg-turbo reads no further than a part's last row, so that only a file which is known to have its end is read in part.
    /// </summary>
    private static PixelBox Part(TurboInstance instance, ReadOnlySpan<byte> encoded, int width, int height, IPhotoRegion? region) =>
        region is null || instance.Get(TurboJpeg.Progressive) != 0 || !JpegEnd.FollowsScan(encoded)
            ? new(0, 0, width, height)
            : DecodedPart.Of(region.Region(width, height), width, height, instance.Get(TurboJpeg.Subsampling));

    /// <summary>8 bits a sample, lossy, and colours that libjpeg-turbo turns into RGB; inks are for the other decoder.</summary>
    private static bool IsPlain(TurboInstance instance) =>
        instance.Get(TurboJpeg.Precision) == 8
        && instance.Get(TurboJpeg.Lossless) == 0
        && instance.Get(TurboJpeg.ColorSpace) is TurboJpeg.ColorsRgb or TurboJpeg.ColorsYCbCr or TurboJpeg.ColorsGrey;
}
