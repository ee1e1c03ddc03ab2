using System.Runtime.InteropServices;

namespace TransferPipeline.Images;

/// <summary>Turns and mirrors a picture as EXIF's Orientation tag (0x0112; Exif 2.32, 4.6.4) states, like PIL's exif_transpose.</summary>
internal static class ExifOrientation
{
    /// <summary>The Orientation tag of an EXIF block, with or without its "Exif" header; null when it has none.</summary>
    public static int? Read(ReadOnlySpan<byte> exif)
    {
        // Raw profiles of ImageMagick have this header before the TIFF block; PNG's eXIf chunk has none.
        if (exif.StartsWith("Exif\0\0"u8))
            exif = exif["Exif\0\0"u8.Length..];
        // Clamped before it is narrowed: a value of 64 bits could wrap to a valid orientation.
        return TiffTags.First(exif, TiffTags.Orientation) is { } value ? (int)Math.Clamp(value, 0, 9) : null;
    }

    /// <summary>Orientation 1 to 8; 1 and unknown values leave the picture as it is.</summary>
    public static void Apply(int orientation, RgbImage image)
    {
        if (orientation is < 2 or > 8)
            return;
        var (width, height) = (image.Width, image.Height);
        // A copy, since turned pixels overwrite what later ones are read from.
        var source = MemoryMarshal.Cast<byte, Pixel>(image.Pixels).ToArray();
        if (orientation >= 5)
            image.Resize(height, width);
        var target = MemoryMarshal.Cast<byte, Pixel>(image.Pixels);
        for (var y = 0; y < image.Height; y++)
        {
            for (var x = 0; x < image.Width; x++)
            {
                var (fromX, fromY) = orientation switch
                {
                    2 => (width - 1 - x, y),
                    3 => (width - 1 - x, height - 1 - y),
                    4 => (x, height - 1 - y),
                    5 => (y, x),
                    6 => (y, height - 1 - x),
                    7 => (width - 1 - y, height - 1 - x),
                    _ => (width - 1 - y, x),
                };
                target[y * image.Width + x] = source[fromY * width + fromX];
            }
        }
    }

    private readonly record struct Pixel(byte R, byte G, byte B);
}
