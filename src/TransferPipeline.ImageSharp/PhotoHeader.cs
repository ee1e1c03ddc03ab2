using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Png;
using TransferPipeline.Images;

namespace TransferPipeline.ImageSharp;

/// <summary>What is known of a photo before its pixels are decoded.</summary>
internal sealed record PhotoHeader(int Width, int Height, int BitsPerLevel, bool IsGrey)
{
    private const int BigTiff = 43,
        Unsigned = 1;

    public static PhotoHeader Of(PhotoFormat format, IImageInfo info)
    {
        var png = format == PhotoFormat.Png ? info.Metadata.GetPngMetadata() : null;
        // Gray with alpha does not count as gray: Pillow reads it by its high bytes, like colors.
        return new(info.Width, info.Height, png?.BitDepth == PngBitDepth.Bit16 ? 16 : 8, png?.ColorType == PngColorType.Grayscale);
    }

    /// <summary>ImageSharp cannot identify TIFF files that leave out what has a default.</summary>
    /// <exception cref="ImageDecodeException">Its numbers are of a kind that ImageSharp cannot read, or scales.</exception>
    public static PhotoHeader OfTiff(ReadOnlySpan<byte> encoded)
    {
        if (encoded[2] == BigTiff || encoded[3] == BigTiff)
            throw new ImageDecodeException("BigTIFF is not supported");
        var (bits, numbers) = (TiffTags.First(encoded, TiffTags.Bits) ?? 1, TiffTags.First(encoded, TiffTags.Numbers) ?? Unsigned);
        if (bits == 1)
            throw new ImageDecodeException("TIFF with levels of 1 bit is not supported by ImageSharp");
        if (bits > 16 || (bits > 8 && numbers != Unsigned))
            throw new ImageDecodeException(
                $"TIFF with levels of {bits} bits{(numbers == Unsigned ? "" : ", signed or floating,")} is not supported"
            );
        if (
            TiffTags.First(encoded, TiffTags.Width) is not { } width
            || TiffTags.First(encoded, TiffTags.Height) is not { } height
            || width > int.MaxValue
            || height > int.MaxValue
        )
            throw new ImageDecodeException("damaged TIFF: its header cannot be read");
        return new((int)width, (int)height, (int)bits, (TiffTags.First(encoded, TiffTags.Samples) ?? 1) == 1);
    }
}
