using System.Reflection;
using System.Runtime.InteropServices;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;
using TransferPipeline.Images;

namespace TransferPipeline.ImageSharp;

/// <summary>
/// Decodes JPEG, PNG, WebP and TIFF with ImageSharp. Its JPEG decoder works in floats, so levels can differ by up to 3 from
/// Pillow's. Thread-safe; each decode runs on its caller's thread alone.
/// </summary>
public sealed class ImageSharpDecoder : PhotoDecoder
{
    private const int SampleFormatUnsigned = 1, BitsOfBytes = 8;

    private readonly DecoderOptions _pixels;
    private readonly DecoderOptions _header;

    public ImageSharpDecoder()
    {
        var configuration = Configuration.Default.Clone();
        configuration.MaxDegreeOfParallelism = 1;
        configuration.PreferContiguousImageBuffers = true;
        _pixels = new() { Configuration = configuration, MaxFrames = 1, SkipMetadata = true };
        _header = new() { Configuration = configuration, MaxFrames = 1 };
    }

    public override string Name { get; } =
        $"ImageSharp {typeof(Image).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";

    protected override int DecodeOutside(PhotoFormat format, ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination)
    {
        // ImageSharp fills what a cut file lacks with grey and says nothing.
        if (format == PhotoFormat.Jpeg ? !JpegExtent.IsWhole(encoded) : PhotoFormats.EndsEarly(format, encoded))
            throw new ImageDecodeException($"truncated {format.Name()}: it ends before its pixels do");
        var what = "its header cannot be read";
        try
        {
            var info = Image.Identify(_header, encoded);
            CheckSize(format, info.Width, info.Height, options);
            what = "its pixels cannot be read";
            DecodePixels(format, encoded, info, destination);
            return Orientation(info);
        }
        catch (Exception e) when (e is not ImageDecodeException)
        {
            // Damaged bytes surface in ImageSharp as many kinds of exception, from its own to an index out of range.
            throw new ImageDecodeException($"damaged {format.Name()}: {what}", e);
        }
    }

    private void DecodePixels(PhotoFormat format, ReadOnlySpan<byte> encoded, ImageInfo info, RgbImage destination)
    {
        var bits = BitsPerLevel(format, info, out var isGrey);
        if (bits <= BitsOfBytes)
            Decode<Rgb24>(encoded, destination, static (row, target) => MemoryMarshal.AsBytes(row).CopyTo(target));
        else if (bits == 16 && isGrey)
            Decode<L16>(encoded, destination, ClipGrey);
        else if (bits == 16)
            Decode<Rgb48>(encoded, destination, TakeHighBytes);
        else
            throw new ImageDecodeException($"{format.Name()} with {bits} bits a level is not supported");
    }

    private void Decode<TPixel>(ReadOnlySpan<byte> encoded, RgbImage destination, RowConverter<TPixel> convert)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        using var image = Image.Load<TPixel>(_pixels, encoded);
        destination.Resize(image.Width, image.Height);
        image.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < rows.Height; y++)
                convert(rows.GetRowSpan(y), destination.Row(y));
        });
    }

    private delegate void RowConverter<TPixel>(ReadOnlySpan<TPixel> row, Span<byte> target);

    /// <summary>One channel of 16 bits is PIL's mode I, whose levels convert("RGB") clips to 255.</summary>
    private static void ClipGrey(ReadOnlySpan<L16> row, Span<byte> target)
    {
        for (var x = 0; x < row.Length; x++)
            target[3 * x] = target[3 * x + 1] = target[3 * x + 2] = (byte)Math.Min((int)row[x].PackedValue, byte.MaxValue);
    }

    /// <summary>Of 16-bit colours PIL reads the high byte.</summary>
    private static void TakeHighBytes(ReadOnlySpan<Rgb48> row, Span<byte> target)
    {
        for (var x = 0; x < row.Length; x++)
            (target[3 * x], target[3 * x + 1], target[3 * x + 2]) = ((byte)(row[x].R >> 8), (byte)(row[x].G >> 8), (byte)(row[x].B >> 8));
    }

    /// <summary>Bits of a level as the file holds it, since ImageSharp would scale them to 8 in a way of its own.</summary>
    private static int BitsPerLevel(PhotoFormat format, ImageInfo info, out bool isGrey)
    {
        isGrey = false;
        if (format == PhotoFormat.Png)
        {
            var png = info.Metadata.GetPngMetadata();
            isGrey = png.ColorType == PngColorType.Grayscale;
            return png.BitDepth == PngBitDepth.Bit16 ? 16 : BitsOfBytes;
        }

        if (format != PhotoFormat.Tiff)
            return BitsOfBytes;
        var tags = info.FrameMetadataCollection.Count > 0 ? info.FrameMetadataCollection[0].ExifProfile : info.Metadata.ExifProfile;
        if (tags is null || !tags.TryGetValue(ExifTag.BitsPerSample, out var samples) || samples.Value is not { Length: > 0 } bits)
            return BitsOfBytes;
        isGrey = bits.Length == 1;
        if (bits[0] > BitsOfBytes && tags.TryGetValue(ExifTag.SampleFormat, out var kinds) && kinds.Value is { Length: > 0 } kind && kind[0] != SampleFormatUnsigned)
            throw new ImageDecodeException($"TIFF with signed or floating levels of {bits[0]} bits is not supported");
        return bits[0];
    }

    private static int Orientation(ImageInfo info) =>
        info.Metadata.ExifProfile is { } exif && exif.TryGetValue(ExifTag.Orientation, out var value) && value.Value is >= 1 and <= 8 ? value.Value : 1;
}
