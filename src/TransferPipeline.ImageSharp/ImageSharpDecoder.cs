using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.InteropServices;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;
using TransferPipeline.Images;

namespace TransferPipeline.ImageSharp;

/// <summary>
/// Decodes JPEG, PNG, WebP and TIFF with ImageSharp. Lossy formats differ from Pillow's pixels (docs/packages.md), so that its recipes are
/// its own.
/// Thread-safe; each decode runs on its caller's thread alone.
/// </summary>
internal sealed class ImageSharpDecoder : PhotoDecoder
{
    private const int LeastInterlaced = 5;

    private readonly Configuration _configuration = Configuration.Default.Clone();

    public ImageSharpDecoder()
        : base($"imagesharp {Version}", $"ImageSharp {Version}")
    {
        // Workers decode photos side by side, and more threads per photo would compete with them.
        _configuration.MaxDegreeOfParallelism = 1;
        _configuration.PreferContiguousImageBuffers = true;
    }

    /// <summary>ImageSharp's version, such as 2.1.13.</summary>
    public static string Version { get; } =
        typeof(Image).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    protected override void DecodeOutside(
        PhotoFormat format,
        ReadOnlySpan<byte> encoded,
        DecodeOptions options,
        RgbImage destination,
        IPhotoRegion? region
    )
    {
        // ImageSharp fills what a cut file lacks with grey and reports nothing.
        var end = format == PhotoFormat.Jpeg ? JpegScan.End(encoded, out _) : JpegEnd.Regular;
        if (format == PhotoFormat.Jpeg && end != JpegEnd.Unknown ? end != JpegEnd.Regular : PhotoFormats.EndsEarly(format, encoded))
            throw new ImageDecodeException($"truncated {format.Name()}: it ends before its pixels do");
        if (end == JpegEnd.Unknown)
            throw new ImageDecodeException($"damaged {format.Name()}: its header cannot be read");
        if (format == PhotoFormat.Jpeg && JpegColors.Contradict(encoded))
            throw new ImageDecodeException(
                "JPEG whose headers contradict each other on its colours (JFIF, Adobe, component names) is not supported by ImageSharp"
            );
        if (format == PhotoFormat.Jpeg && JpegScans.AreMisread(encoded))
            throw new ImageDecodeException(
                "JPEG with scans of some of its colours together, or progressive with restart markers, is not supported by ImageSharp"
            );
        if (format == PhotoFormat.Png && IsNarrowInterlaced(encoded))
            throw new ImageDecodeException($"interlaced PNG narrower than {LeastInterlaced} pixels is not supported by ImageSharp");
        if (format == PhotoFormat.Tiff)
            TiffForms.Check(encoded);
        if (format == PhotoFormat.Jpeg)
            encoded = JpegFill.Without(encoded);
        else if (format == PhotoFormat.Png)
            encoded = PngChunks.WithWholePalette(encoded);
        var what = "its header cannot be read";
        try
        {
            var header = format == PhotoFormat.Tiff ? PhotoHeader.OfTiff(encoded) : PhotoHeader.Of(format, Identify(encoded));
            CheckSize(format, header.Width, header.Height, options);
            what = "its pixels cannot be read";
            DecodePixels(format, header, encoded, destination);
        }
        catch (NotSupportedException e)
        {
            throw new ImageDecodeException($"{format.Name()} of a kind that ImageSharp does not read: {e.FirstLine()}", e);
        }
        catch (Exception e) when (e is not ImageDecodeException)
        {
            // Damaged bytes surface in ImageSharp as many kinds of exception, from its own to an index out of range.
            throw new ImageDecodeException($"damaged {format.Name()}: {what}", e);
        }
    }

    /// <summary>Its second pass of seven, which begins at the fifth column, is empty, and ImageSharp 2 loops there forever.</summary>
    private static bool IsNarrowInterlaced(ReadOnlySpan<byte> encoded)
    {
        // Places in the file of IHDR's width and interlace method (PNG, 11.2.2).
        const int WidthAt = 16,
            MethodAt = 28;
        return encoded.Length > MethodAt
            && encoded[MethodAt] != 0
            && BinaryPrimitives.ReadUInt32BigEndian(encoded[WidthAt..]) < LeastInterlaced;
    }

    /// <summary>Levels of 16 bits are read as they are, since ImageSharp would scale them to 8 in a way of its own.</summary>
    private void DecodePixels(PhotoFormat format, PhotoHeader header, ReadOnlySpan<byte> encoded, RgbImage destination)
    {
        if (header.BitsPerLevel != 16)
            Decode<Rgb24>(format, encoded, destination, static (row, target) => MemoryMarshal.AsBytes(row).CopyTo(target));
        else if (header.IsGrey)
            Decode<L16>(format, encoded, destination, ClipGrey);
        else
            Decode<Rgb48>(format, encoded, destination, TakeHighBytes);
    }

    private unsafe IImageInfo Identify(ReadOnlySpan<byte> encoded)
    {
        fixed (byte* start = encoded)
        {
            using var stream = new UnmanagedMemoryStream(start, encoded.Length);
            // ImageSharp 2 gives null for what it does not know, where later versions throw.
            return Image.Identify(_configuration, stream) ?? throw new InvalidImageContentException("unknown");
        }
    }

    /// <summary>Only the first frame, and none of the metadata.</summary>
    private static SixLabors.ImageSharp.Formats.IImageDecoder Decoder(PhotoFormat format) =>
        format switch
        {
            PhotoFormat.Jpeg => new JpegDecoder { IgnoreMetadata = true },
            PhotoFormat.Png => new PngDecoder { IgnoreMetadata = true },
            PhotoFormat.WebP => new WebpDecoder { IgnoreMetadata = true },
            _ => new TiffDecoder { IgnoreMetadata = true, DecodingMode = FrameDecodingMode.First },
        };

    private void Decode<TPixel>(PhotoFormat format, ReadOnlySpan<byte> encoded, RgbImage destination, RowConverter<TPixel> convert)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        using var image = Image.Load<TPixel>(_configuration, encoded, Decoder(format));
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
}
