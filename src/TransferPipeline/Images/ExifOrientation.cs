using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace TransferPipeline.Images;

/// <summary>Turns and mirrors a picture as EXIF's Orientation tag (0x0112; Exif 2.32, 4.6.4) states, like PIL's exif_transpose.</summary>
internal static class ExifOrientation
{
    private const byte Classic = 42;

    /// <summary>How a photo is turned, 1 to 8, as Pillow finds it; 1 where the format or the file has no orientation.</summary>
    public static int Of(PhotoFormat format, ReadOnlySpan<byte> encoded) =>
        format switch
        {
            PhotoFormat.Jpeg => Read(JpegScan.Exif(encoded)),
            PhotoFormat.Png => PngChunks.Orientation(encoded),
            PhotoFormat.WebP => Read(OfWebP(encoded)),
            PhotoFormat.Tiff => Value(encoded),
            _ => null,
        } ?? 1;

    /// <summary>
    /// The Orientation tag of an EXIF block, with or without its "Exif" header: 1 for a value that is no orientation, null for none.
    /// </summary>
    public static int? Read(ReadOnlySpan<byte> exif)
    {
        // Raw profiles of ImageMagick have this header before the TIFF block; PNG's eXIf chunk has none.
        if (exif.StartsWith("Exif\0\0"u8))
            exif = exif["Exif\0\0"u8.Length..];
        // To Pillow 9.4 the block is classic TIFF, whose number 42 may stand in either order; in BigTIFF it finds no tags.
        if (exif.Length < 4 || (exif[2], exif[3]) is not ((0, Classic) or (Classic, 0)))
            return null;
        var block = exif.ToArray();
        (block[2], block[3]) = block[0] == 'I' ? (Classic, (byte)0) : ((byte)0, Classic);
        return Value(block);
    }

    private static int? Value(ReadOnlySpan<byte> tiff) =>
        TiffTags.Number(tiff, TiffTags.Orientation) is not { } value ? null
        : value is >= 1 and <= 8 && value == Math.Floor(value) ? (int)value
        : 1;

    /// <summary>The first EXIF chunk, where the header has its flag (WebP Container Specification); empty for none.</summary>
    private static ReadOnlySpan<byte> OfWebP(ReadOnlySpan<byte> encoded)
    {
        const int FirstChunk = 12,
            FlagsAt = 20,
            ExifFlag = 8,
            Around = 8;
        if (encoded.Length <= FlagsAt || !encoded[FirstChunk..].StartsWith("VP8X"u8) || (encoded[FlagsAt] & ExifFlag) == 0)
            return [];
        for (long at = FirstChunk; at <= encoded.Length - Around; )
        {
            var chunk = encoded[(int)at..];
            long length = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            if (chunk.StartsWith("EXIF"u8))
                return chunk.Slice(Around, (int)Math.Min(length, chunk.Length - Around));
            // Chunks are padded to an even length.
            at += Around + length + (length & 1);
        }

        return [];
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
