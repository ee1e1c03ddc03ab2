using NetVips;
using TransferPipeline.Images;

namespace TransferPipeline.NetVips;

/// <summary>Writes JPEG with libvips, that is with libjpeg-turbo.</summary>
internal sealed class NetVipsEncoder : IImageEncoder
{
    /// <exception cref="JobFailedException">libvips is missing or cannot start.</exception>
    public NetVipsEncoder() => _ = VipsRuntime.Version;

    public unsafe byte[] EncodeJpeg(RgbImage image, int quality)
    {
        try
        {
            // libvips reads the pixels where they are; they may be released once the file is written.
            fixed (byte* pixels = image.Pixels)
            {
                using var source = Image.NewFromMemory(
                    (nint)pixels,
                    (ulong)image.Pixels.Length,
                    image.Width,
                    image.Height,
                    3,
                    Enums.BandFormat.Uchar
                );
                return source.JpegsaveBuffer(q: quality, keep: Enums.ForeignKeep.None);
            }
        }
        catch (VipsException e)
        {
            throw new JobFailedException($"libvips cannot write a JPEG: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
