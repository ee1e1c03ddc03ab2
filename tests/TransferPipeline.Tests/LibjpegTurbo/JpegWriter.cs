using System.Runtime.InteropServices;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.LibjpegTurbo;

/// <summary>Writes JPEG of every kind that libjpeg-turbo knows; the package's own encoder writes one kind.</summary>
internal sealed partial record JpegWriter
{
    /// <summary>TJSAMP_...</summary>
    public enum Subsampling
    {
        None444,
        Half422,
        Quarter420,
        Grey,
        Tall440,
        Wide411,
        High441,
    }

    /// <summary>TJCS_...; -1 lets libjpeg-turbo choose YCbCr.</summary>
    public enum Colors
    {
        Usual = -1,
        Rgb,
        YCbCr,
        Grey,
        Cmyk,
        Ycck,
    }

    private const int ForCompression = 0,
        PixelsRgb = 0,
        PixelsCmyk = 11;

    public Subsampling Sampling { get; init; } = Subsampling.Quarter420;

    public Colors ColorSpace { get; init; } = Colors.Usual;

    public int Quality { get; init; } = 85;

    public bool Progressive { get; init; }

    public bool Arithmetic { get; init; }

    public bool Lossless { get; init; }

    /// <summary>Blocks (MCUs) between restart markers; 0 for none.</summary>
    public int RestartBlocks { get; init; }

    public unsafe byte[] Write(RgbImage picture)
    {
        var inks = ColorSpace is Colors.Cmyk or Colors.Ycck;
        var pixels = inks ? Inks(picture) : picture.Pixels.ToArray();
        var instance = Init(ForCompression);
        byte* encoded = null;
        nuint length = 0;
        try
        {
            foreach (var (parameter, value) in Parameters())
                Assert.Equal(0, Set(instance, parameter, value));
            fixed (byte* start = pixels)
                Assert.Equal(
                    0,
                    Compress(instance, start, picture.Width, 0, picture.Height, inks ? PixelsCmyk : PixelsRgb, &encoded, &length)
                );
            return new ReadOnlySpan<byte>(encoded, (int)length).ToArray();
        }
        finally
        {
            Free(encoded);
            Destroy(instance);
        }
    }

    /// <summary>TJPARAM_... and their values.</summary>
    private IEnumerable<(int Parameter, int Value)> Parameters()
    {
        yield return (3, Quality);
        yield return (4, (int)Sampling);
        if (ColorSpace != Colors.Usual)
            yield return (8, (int)ColorSpace);
        yield return (12, Progressive ? 1 : 0);
        yield return (14, Arithmetic ? 1 : 0);
        yield return (15, Lossless ? 1 : 0);
        yield return (18, RestartBlocks);
    }

    private static byte[] Inks(RgbImage picture)
    {
        var inks = new byte[picture.Width * picture.Height * 4];
        for (int s = 0, t = 0; t < inks.Length; s += 3, t += 4)
            (inks[t], inks[t + 1], inks[t + 2], inks[t + 3]) = (
                picture.Pixels[s],
                picture.Pixels[s + 1],
                picture.Pixels[s + 2],
                (byte)(picture.Pixels[s] / 2 + 100)
            );
        return inks;
    }

    [LibraryImport("turbojpeg", EntryPoint = "tj3Init")]
    private static partial nint Init(int kind);

    [LibraryImport("turbojpeg", EntryPoint = "tj3Set")]
    private static partial int Set(nint instance, int parameter, int value);

    [LibraryImport("turbojpeg", EntryPoint = "tj3Compress8")]
    private static unsafe partial int Compress(
        nint instance,
        byte* pixels,
        int width,
        int pitch,
        int height,
        int pixelFormat,
        byte** encoded,
        nuint* length
    );

    [LibraryImport("turbojpeg", EntryPoint = "tj3Free")]
    private static unsafe partial void Free(byte* encoded);

    [LibraryImport("turbojpeg", EntryPoint = "tj3Destroy")]
    private static partial void Destroy(nint instance);
}
