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
        if (encoded.StartsWith(FileSignatures.Jpeg))
            return PhotoFormat.Jpeg;
        if (encoded.StartsWith(FileSignatures.Png))
            return PhotoFormat.Png;
        if (FileSignatures.IsWebP(encoded))
            return PhotoFormat.WebP;
        if (encoded.StartsWith(FileSignatures.Gif87) || encoded.StartsWith(FileSignatures.Gif89))
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
