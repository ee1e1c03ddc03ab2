using static TransferPipeline.Images.JpegMarkers;

namespace TransferPipeline.ImageSharp;

/// <summary>
/// Finds JPEG files whose headers contradict each other on whether three components are RGB or YCbCr, or leave it open: there ImageSharp 2
/// decides otherwise than libjpeg.
/// </summary>
internal static class JpegColors
{
    /// <summary>
    /// For libjpeg JFIF means YCbCr, else Adobe's transform decides, else the components' names (jdapimin.c: default_decompress_parms);
    /// for ImageSharp they are RGB by Adobe's transform or by their names.
    /// </summary>
    public static bool Contradict(ReadOnlySpan<byte> encoded)
    {
        var components = Components(encoded, out var transform, out var hasJfif);
        if (components.IsEmpty)
            return false;
        var areNamedRgb = AreNamedRgb(components);
        // libjpeg takes names that say nothing for YCbCr, ImageSharp for RGB.
        if (!hasJfif && transform < 0 && !areNamedRgb && (components[0], components[3], components[6]) is not (1, 2, 3))
            return true;
        // Left, whether libjpeg takes the components for RGB; right, whether ImageSharp does.
        return (!hasJfif && (transform >= 0 ? transform == 0 : areNamedRgb)) != (transform == 0 || areNamedRgb);
    }

    /// <summary>Whether ImageSharp takes three components for red, green and blue, whatever the TIFF file around them states.</summary>
    public static bool AreRgb(ReadOnlySpan<byte> encoded)
    {
        var components = Components(encoded, out var transform, out _);
        return transform == 0 || (!components.IsEmpty && AreNamedRgb(components));
    }

    private static bool AreNamedRgb(ReadOnlySpan<byte> components) => components[0] == 'R' && components[3] == 'G' && components[6] == 'B';

    /// <returns>Where the three components stand in the frame's header; empty for another number of them.</returns>
    private static ReadOnlySpan<byte> Components(ReadOnlySpan<byte> encoded, out int transform, out bool hasJfif)
    {
        (transform, hasJfif) = (-1, false);
        ReadOnlySpan<byte> components = [];
        for (var segments = new JpegSegments(encoded); segments.MoveNext() && segments.Code != StartOfScan; )
        {
            var content = segments.Content;
            hasJfif |= segments.Code == FirstApplication && content.StartsWith("JFIF\0"u8);
            if (segments.Code == Adobe && content.Length >= 12 && content.StartsWith("Adobe"u8))
                transform = content[11];
            else if (IsFrame(segments.Code) && content.Length >= 15 && content[5] == 3)
                components = content[6..];
        }

        return components;
    }
}
