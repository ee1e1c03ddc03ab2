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

    public bool TryDecode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination)
    {
        using var instance = new TurboInstance();
        return TryDecode(instance, encoded, options, destination);
    }

    private static unsafe bool TryDecode(TurboInstance instance, ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination)
    {
        fixed (byte* start = encoded)
        {
            if (!instance.TryReadHeader(start, encoded.Length) || !IsPlain(instance))
                return false;
            var (width, height) = (instance.Get(TurboJpeg.Width), instance.Get(TurboJpeg.Height));
            if (!options.Allows(width, height))
                return false;
            destination.Resize(width, height);
            fixed (byte* pixels = destination.Pixels)
                return instance.TryDecode(start, encoded.Length, pixels, width * 3);
        }
    }

    /// <summary>8 bits a sample, lossy, and colours that libjpeg-turbo turns into RGB; inks are for the other decoder.</summary>
    private static bool IsPlain(TurboInstance instance) =>
        instance.Get(TurboJpeg.Precision) == 8
        && instance.Get(TurboJpeg.Lossless) == 0
        && instance.Get(TurboJpeg.ColorSpace) is TurboJpeg.ColorsRgb or TurboJpeg.ColorsYCbCr or TurboJpeg.ColorsGrey;
}
