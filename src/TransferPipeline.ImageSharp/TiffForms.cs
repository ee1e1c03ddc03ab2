using TransferPipeline.Images;

namespace TransferPipeline.ImageSharp;

/// <summary>Refuses TIFF files of which ImageSharp 2 makes other pictures than libtiff, without an error.</summary>
internal static class TiffForms
{
    /// <exception cref="ImageDecodeException">It would be misread; names how.</exception>
    public static void Check(ReadOnlySpan<byte> encoded)
    {
        const int Differences = 2;
        if (TiffKind.IsPremultiplied(encoded))
            throw Unsupported("with premultiplied alpha");
        var isInPlanes = TiffTags.First(encoded, TiffTags.Planes) == TiffKind.SeparatePlanes;
        if (isInPlanes && TiffTags.First(encoded, TiffTags.Predictor) == Differences)
            throw Unsupported("with differences of levels (predictor 2) in separate planes");
        if (TiffTags.First(encoded, TiffTags.Compression) != TiffKind.Jpeg)
            return;
        var colors = TiffTags.First(encoded, TiffTags.Colors);
        // It writes three channels of every strip, and takes their colors from the strip alone.
        if (isInPlanes || TiffTags.First(encoded, TiffTags.Samples) != 3 || colors is not (TiffKind.Rgb or TiffKind.YCbCr))
            throw Unsupported("in JPEG of other than three channels");
        foreach (var offset in TiffTags.All(encoded, TiffTags.StripOffsets))
        {
            if (JpegColors.AreRgb(encoded[(int)Math.Min(offset, encoded.Length)..]) != (colors == TiffKind.Rgb))
                throw Unsupported("with JPEG in other colours than its tags state");
        }
    }

    private static ImageDecodeException Unsupported(string what) => new($"TIFF {what} is not supported by ImageSharp");
}
