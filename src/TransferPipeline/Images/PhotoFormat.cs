using System.Buffers.Binary;

namespace TransferPipeline.Images;

/// <summary>File formats of photos: those of torchvision's ImageFolder, and GIF.</summary>
internal enum PhotoFormat
{
    Unknown,
    Jpeg,
    Png,
    WebP,
    Tiff,
    Gif,
    Bmp,
    Ppm,
}

/// <summary>Detects formats by their first bytes, never by the file's name.</summary>
internal static class PhotoFormats
{
    /// <summary>The format that the first bytes announce.</summary>
    public static PhotoFormat Detect(ReadOnlySpan<byte> encoded)
    {
        // SOI and the first byte of the next marker, as in Pillow: two bytes alone also begin other binary files.
        if (encoded.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return PhotoFormat.Jpeg;
        // All eight bytes: a transfer in text mode changes their line ends, and has damaged the rest too (PNG, 5.2).
        if (encoded.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]))
            return PhotoFormat.Png;
        // RIFF alone is the container of WAV and AVI as well.
        if (encoded.Length >= 12 && encoded.StartsWith("RIFF"u8) && encoded[8..12].SequenceEqual("WEBP"u8))
            return PhotoFormat.WebP;
        if (encoded.StartsWith("GIF87a"u8) || encoded.StartsWith("GIF89a"u8))
            return PhotoFormat.Gif;
        if (encoded.StartsWith("BM"u8))
            return PhotoFormat.Bmp;
        if (
            encoded.StartsWith("II*\0"u8)
            || encoded.StartsWith("MM\0*"u8)
            || encoded.StartsWith("II+\0"u8)
            || encoded.StartsWith("MM\0+"u8)
        )
            return PhotoFormat.Tiff;
        // Netpbm has white space or a comment behind the digit. Two characters alone would take any text for a picture.
        return encoded.Length >= 3 && encoded[0] == 'P' && encoded[1] is >= (byte)'1' and <= (byte)'6' && IsSpace(encoded[2])
            ? PhotoFormat.Ppm
            : PhotoFormat.Unknown;
    }

    /// <summary>The file lacks the end that its format prescribes: it was cut, rather than changed.</summary>
    public static bool EndsEarly(PhotoFormat format, ReadOnlySpan<byte> encoded) =>
        format switch
        {
            PhotoFormat.Jpeg => encoded.LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xD9]) < 0,
            PhotoFormat.Png => encoded.LastIndexOf("IEND"u8) < 0,
            // RIFF's length leaves out its own eight bytes of name and length.
            PhotoFormat.WebP => BinaryPrimitives.ReadUInt32LittleEndian(encoded[4..]) + 8L > encoded.Length,
            _ => false,
        };

    /// <summary>The name that messages use.</summary>
    public static string Name(this PhotoFormat format) =>
        format switch
        {
            PhotoFormat.Unknown => "image of an unknown format",
            PhotoFormat.WebP => "WebP",
            _ => format.ToString().ToUpperInvariant(),
        };

    private static bool IsSpace(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'#';
}
