using System.Runtime.InteropServices;
using NetVips;
using TransferPipeline.Images;

namespace TransferPipeline.NetVips;

/// <summary>From libvips' pixels to the RGB that PIL's <c>convert("RGB")</c> gives for the same file.</summary>
internal abstract class PixelConverter(int bytesPerPixel)
{
    /// <summary>Offset in a PNG file: after signature, length and "IHDR" come width, height, depth and colour type (PNG, 11.2.2).</summary>
    private const int PngColorType = 25,
        PngGrey = 0;

    public int BytesPerPixel { get; } = bytesPerPixel;

    /// <summary>Converts whole rows.</summary>
    public abstract void Convert(ReadOnlySpan<byte> source, Span<byte> target);

    public static PixelConverter Of(PhotoFormat format, ReadOnlySpan<byte> encoded, Image image)
    {
        var (bands, type) = (image.Bands, image.Format);
        if (image.Interpretation is Enums.Interpretation.Lab or Enums.Interpretation.Labs)
            throw new ImageDecodeException($"{format.Name()} in L*a*b* colours is not supported");
        // Before all others: libvips takes such a file for plain R G B A, since TiffKind.Prepared changed its tag.
        if (format == PhotoFormat.Tiff && bands >= 4 && TiffKind.IsPremultiplied(encoded))
            return type is Enums.BandFormat.Uchar or Enums.BandFormat.Ushort
                ? new Premultiplied(bands, type == Enums.BandFormat.Ushort)
                : throw Unsupported(format, bands);
        if (type == Enums.BandFormat.Uchar)
        {
            // Four bands of bytes are inks, or R G B and alpha; the interpretation alone distinguishes them.
            if (image.Interpretation == Enums.Interpretation.Cmyk && bands >= 4)
                return new Cmyk(bands);
            return bands >= 3 ? new Bytes(bands) : new Grey(bands);
        }

        if (image.Interpretation == Enums.Interpretation.Cmyk)
            return type == Enums.BandFormat.Ushort && bands >= 4 ? new Cmyk16(bands) : throw Unsupported(format, bands);

        // A gray PNG with a transparent level (tRNS) has two bands here, and is mode I in Pillow.
        // One with alpha is read by its high bytes.
        var isGrey = bands == 1 || (format == PhotoFormat.Png && encoded[PngColorType] == PngGrey);
        return (type, isGrey) switch
        {
            (Enums.BandFormat.Ushort, true) => new Clipped<ushort>(bands),
            (Enums.BandFormat.Ushort, false) => new HighBytes(bands),
            // PIL has no unsigned mode of 32 bits.
            (Enums.BandFormat.Uint, true) => new Clipped<int>(bands),
            (Enums.BandFormat.Short, true) => new Clipped<short>(bands),
            (Enums.BandFormat.Int, true) => new Clipped<int>(bands),
            (Enums.BandFormat.Float, true) => new Clipped<float>(bands),
            _ => throw Unsupported(format, bands),
        };
    }

    private static ImageDecodeException Unsupported(PhotoFormat format, int bands) =>
        new($"{format.Name()} with {bands} channels of this number format is not supported");

    /// <summary>R G B, and perhaps alpha, which is dropped.</summary>
    private sealed class Bytes(int bands) : PixelConverter(bands)
    {
        public override void Convert(ReadOnlySpan<byte> source, Span<byte> target)
        {
            if (BytesPerPixel == 3)
            {
                source.CopyTo(target);
                return;
            }

            for (int s = 0, t = 0; t < target.Length; s += BytesPerPixel, t += 3)
                (target[t], target[t + 1], target[t + 2]) = (source[s], source[s + 1], source[s + 2]);
        }
    }

    private sealed class Grey(int bands) : PixelConverter(bands)
    {
        public override void Convert(ReadOnlySpan<byte> source, Span<byte> target)
        {
            for (int s = 0, t = 0; t < target.Length; s += BytesPerPixel, t += 3)
                target[t] = target[t + 1] = target[t + 2] = source[s];
        }
    }

    /// <summary>Inks to light as in Pillow's Convert.c: white less black, less the ink's share of that.</summary>
    private sealed class Cmyk(int bands) : PixelConverter(bands)
    {
        public override void Convert(ReadOnlySpan<byte> source, Span<byte> target)
        {
            for (int s = 0, t = 0; t < target.Length; s += BytesPerPixel, t += 3)
                Convert(source[s], source[s + 1], source[s + 2], source[s + 3], target[t..]);
        }

        public static void Convert(byte cyan, byte magenta, byte yellow, byte black, Span<byte> rgb)
        {
            var light = 255 - black;
            rgb[2] = (byte)Math.Max(light - Share(yellow, light), 0);
            rgb[1] = (byte)Math.Max(light - Share(magenta, light), 0);
            rgb[0] = (byte)Math.Max(light - Share(cyan, light), 0);
        }

        /// <summary>a * b / 255, rounded.</summary>
        private static int Share(int a, int b)
        {
            var product = a * b + 128;
            return ((product >> 8) + product) >> 8;
        }
    }

    /// <summary>
    /// R G B that are multiplied by the alpha behind them, of 8 bits or the high bytes of 16; divided as in Pillow's Unpack.c.
    /// </summary>
    private sealed class Premultiplied(int bands, bool isWide) : PixelConverter(isWide ? bands * 2 : bands)
    {
        public override void Convert(ReadOnlySpan<byte> source, Span<byte> target)
        {
            for (int s = 0, t = 0; t < target.Length; s += BytesPerPixel, t += 3)
            {
                var alpha = Level(source, s, 3);
                for (var c = 0; c < 3; c++)
                    target[t + c] = alpha == 0 ? (byte)0 : (byte)Math.Min(Level(source, s, c) * 255 / alpha, 255);
            }
        }

        // libvips gives 16 bits in the machine's order, so the high byte is the second on all platforms that run this.
        private int Level(ReadOnlySpan<byte> source, int at, int channel) => source[at + (isWide ? channel * 2 + 1 : channel)];
    }

    /// <summary>Inks of 16 bits: PIL reads the high byte of each.</summary>
    private sealed class Cmyk16(int bands) : PixelConverter(bands * 2)
    {
        public override void Convert(ReadOnlySpan<byte> source, Span<byte> target)
        {
            var values = MemoryMarshal.Cast<byte, ushort>(source);
            for (int s = 0, t = 0; t < target.Length; s += bands, t += 3)
                Cmyk.Convert(
                    (byte)(values[s] >> 8),
                    (byte)(values[s + 1] >> 8),
                    (byte)(values[s + 2] >> 8),
                    (byte)(values[s + 3] >> 8),
                    target[t..]
                );
        }
    }

    /// <summary>16 bits per channel: PIL reads the high byte.</summary>
    private sealed class HighBytes(int bands) : PixelConverter(bands * 2)
    {
        public override void Convert(ReadOnlySpan<byte> source, Span<byte> target)
        {
            var values = MemoryMarshal.Cast<byte, ushort>(source);
            // One or two bands are gray, perhaps with alpha, and one level serves three colors.
            var (bands, isGrey) = (BytesPerPixel / 2, BytesPerPixel <= 4);
            for (int s = 0, t = 0; t < target.Length; s += bands, t += 3)
            {
                for (var c = 0; c < 3; c++)
                    target[t + c] = (byte)(values[s + (isGrey ? 0 : c)] >> 8);
            }
        }
    }

    /// <summary>One channel of more than 8 bits: PIL's modes I and F, whose levels convert("RGB") clips to 0..255.</summary>
    private sealed unsafe class Clipped<T>(int bands) : PixelConverter(bands * sizeof(T))
        where T : unmanaged, System.Numerics.INumber<T>
    {
        public override void Convert(ReadOnlySpan<byte> source, Span<byte> target)
        {
            var values = MemoryMarshal.Cast<byte, T>(source);
            var bands = BytesPerPixel / sizeof(T);
            for (int s = 0, t = 0; t < target.Length; s += bands, t += 3)
                target[t] = target[t + 1] = target[t + 2] = byte.CreateSaturating(values[s]);
        }
    }
}
