using System.Buffers.Binary;

namespace TransferPipeline.ImageSharp;

/// <summary>
/// Finds JPEG files whose headers contradict each other on whether three components are RGB or YCbCr, or leave it open: there ImageSharp 2
/// decides otherwise than libjpeg.
/// </summary>
internal static class JpegColors
{
    private const byte Marker = 0xFF,
        FirstFrame = 0xC0,
        LastFrame = 0xCF,
        HuffmanTables = 0xC4,
        Extension = 0xC8,
        ArithmeticTables = 0xCC;
    private const byte StartOfScan = 0xDA,
        Jfif = 0xE0,
        Adobe = 0xEE;

    /// <summary>
    /// For libjpeg JFIF means YCbCr, else Adobe's transform decides, else the components' names (jdapimin.c: default_decompress_parms);
    /// for ImageSharp they are RGB by Adobe's transform or by their names.
    /// </summary>
    public static bool Contradict(ReadOnlySpan<byte> encoded)
    {
        var (transform, hasJfif) = (-1, false);
        ReadOnlySpan<byte> components = [];
        for (var at = 2; at + 4 <= encoded.Length && encoded[at] == Marker; )
        {
            var code = encoded[at + 1];
            // A fill byte before the marker's code (T.81, B.1.1.2).
            if (code == Marker)
            {
                at++;
                continue;
            }

            var end = at + 2 + BinaryPrimitives.ReadUInt16BigEndian(encoded[(at + 2)..]);
            // A length below 2 would make the walk stand still.
            if (code == StartOfScan || end > encoded.Length || end < at + 4)
                break;
            var segment = encoded[(at + 4)..end];
            hasJfif |= code == Jfif && segment.StartsWith("JFIF\0"u8);
            if (code == Adobe && segment.Length >= 12 && segment.StartsWith("Adobe"u8))
                transform = segment[11];
            else if (
                code is >= FirstFrame and <= LastFrame and not (HuffmanTables or Extension or ArithmeticTables)
                && segment.Length >= 15
                && segment[5] == 3
            )
                components = segment[6..];
            at = end;
        }

        if (components.IsEmpty)
            return false;
        var areNamedRgb = components[0] == 'R' && components[3] == 'G' && components[6] == 'B';
        // libjpeg takes names that say nothing for YCbCr, ImageSharp for RGB.
        if (!hasJfif && transform < 0 && !areNamedRgb && (components[0], components[3], components[6]) is not (1, 2, 3))
            return true;
        // Left, whether libjpeg takes the components for RGB; right, whether ImageSharp does.
        return (!hasJfif && (transform >= 0 ? transform == 0 : areNamedRgb)) != (transform == 0 || areNamedRgb);
    }
}
