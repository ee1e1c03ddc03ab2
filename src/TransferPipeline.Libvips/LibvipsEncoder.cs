using TransferPipeline.Images;

namespace TransferPipeline.Libvips;

/// <summary>Writes JPEG with libvips, that is with libjpeg-turbo.</summary>
public sealed class LibvipsEncoder : IImageEncoder
{
    /// <exception cref="JobFailedException">libvips is missing or cannot start.</exception>
    public LibvipsEncoder() => _ = VipsRuntime.Version;

    public unsafe byte[] EncodeJpeg(RgbImage image, int quality)
    {
        fixed (byte* pixels = image.Pixels)
        {
            var source = Vips.ImageNewFromMemory(pixels, (nuint)image.Pixels.Length, image.Width, image.Height, 3, Vips.FormatByte);
            try
            {
                return Save(source, quality);
            }
            finally
            {
                Vips.ObjectUnref(source);
            }
        }
    }

    private static unsafe byte[] Save(nint source, int quality)
    {
        using var operation = new VipsOperation("jpegsave_buffer\0"u8);
        operation.SetImage("in\0"u8, source);
        operation.SetInt("Q\0"u8, quality);
        operation.SetFlags("keep\0"u8, "VipsForeignKeep\0"u8, Vips.KeepNothing);
        if (!operation.Build())
        {
            Vips.ErrorClear();
            throw new JobFailedException("libvips cannot write a JPEG");
        }

        var holder = operation.Get("buffer\0"u8, Vips.BlobType());
        nuint length;
        var start = Vips.BlobGet(Vips.ValueGetBoxed(&holder), &length);
        var encoded = new ReadOnlySpan<byte>(start, checked((int)length)).ToArray();
        Vips.ValueUnset(&holder);
        return encoded;
    }
}
