namespace TransferPipeline.Images;

/// <summary>Refuses TIFF files of kinds that libvips reads as black or in other colours than Pillow, and names the kind.</summary>
internal static class TiffKind
{
    public const int Jpeg = 7,
        Rgb = 2,
        YCbCr = 6,
        SeparatePlanes = 2;

    private const int Uncompressed = 1,
        Inverted = 0,
        Grey = 1,
        Palette = 3,
        Inks = 5,
        Unsigned = 1,
        Signed = 2,
        Floating = 3,
        PremultipliedAlpha = 1,
        PlainAlpha = 2,
        OnePlane = 1,
        Cmyk = 1;

    /// <summary>By tag 259, those that both read alike.</summary>
    private static readonly int[] ReadCompressions = [Uncompressed, 2, 3, 4, 5, 7, 8, 32773, 32946];

    private static readonly Dictionary<long, string> CompressionNames = new()
    {
        [6] = "old-style JPEG",
        [9] = "JBIG",
        [10] = "JBIG",
        [32766] = "NeXT",
        [32809] = "ThunderScan",
        [33003] = "JPEG 2000",
        [33005] = "JPEG 2000",
        [34661] = "JBIG",
        [34676] = "SGI Log",
        [34677] = "SGI Log",
        [34712] = "JPEG 2000",
        [34887] = "LERC",
        [34925] = "LZMA",
        [50000] = "zstd",
        [50001] = "WebP",
        [50002] = "JPEG XL",
        [52546] = "JPEG XL",
    };

    private static readonly Dictionary<long, string> ColorNames = new()
    {
        [4] = "a transparency mask",
        [8] = "L*a*b* colours",
        [9] = "L*a*b* colours (ICC)",
        [10] = "L*a*b* colours (ITU)",
        [32803] = "raw values of a camera's colour filter",
        [32844] = "logarithmic luminance",
        [32845] = "logarithmic colours (LogLuv)",
        [34892] = "raw values of a camera",
    };

    /// <exception cref="ImageDecodeException">Its compression, colours or bits are not supported.</exception>
    public static void Check(ReadOnlySpan<byte> encoded)
    {
        // First, since the checks below take the first value of a tag, and the libraries may take another.
        if (TiffTags.Ambiguous(encoded) is { } tag)
            throw new ImageDecodeException($"damaged TIFF: its tag {tag} stands twice or has a wrong type");

        var compression = TiffTags.First(encoded, TiffTags.Compression) ?? Uncompressed;
        // A value of 64 bits must not wrap to a known number.
        if (!ReadCompressions.Contains((int)Math.Min(compression, int.MaxValue)))
            throw Unsupported(
                $"with {(CompressionNames.TryGetValue(compression, out var name) ? name : $"unknown ({compression})")} compression"
            );
        // Pillow's default; TIFF 6.0 requires the tag.
        var colors = TiffTags.First(encoded, TiffTags.Colors) ?? Inverted;
        if (ColorNames.TryGetValue(colors, out var kind))
            throw Unsupported($"in {kind}");
        if (colors is < 0 or > 6)
            throw Unsupported($"with unknown colours ({colors})");
        // Pillow refuses it uncompressed; libtiff takes it, and libvips shows Y, Cb and Cr as if they were red, green and blue.
        if (colors == YCbCr && compression != Jpeg)
            throw Unsupported("in YCbCr without JPEG compression");
        var bits = TiffTags.All(encoded, TiffTags.Bits);
        if (bits.Distinct().Count() > 1)
            throw Unsupported($"with channels of {string.Join(", ", bits)} bits");
        if (bits is [var depth, ..] && depth is not (1 or 2 or 4 or 8 or 16 or 32))
            throw Unsupported($"of {depth} bits per channel");
        var extras = TiffTags.All(encoded, TiffTags.ExtraSamples);
        if (extras is [PremultipliedAlpha, ..] && colors != Rgb)
            throw Unsupported("with premultiplied alpha in other colours than RGB");
        // libvips would divide the colors by it.
        if (extras.Skip(1).Contains(PremultipliedAlpha))
            throw Unsupported("with premultiplied alpha behind another extra channel");
        var samples = TiffTags.First(encoded, TiffTags.Samples) ?? 1;
        CheckChannels(colors, samples);
        var (numbers, width) = (TiffTags.First(encoded, TiffTags.Numbers) ?? Unsigned, bits is [var first, ..] ? first : 1);
        CheckPlanes(encoded, compression, colors, samples, width);
        CheckTiles(encoded, compression, colors, samples);
        // Pillow 9.4 takes the unpacked numbers, which are in the machine's order, for those of the file.
        if (width == 32 && compression != Uncompressed && encoded[0] == 'M')
            throw Unsupported("of 32 bits per channel in big-endian order with compression");
        if (numbers != Unsigned && !(numbers == Signed && width is 16 or 32) && !(numbers == Floating && width == 32))
            throw Unsupported(
                $"of {width} bits per channel that are "
                    + $"{(numbers == Signed ? "signed" : numbers == Floating ? "floating" : $"of unknown kind {numbers}")}"
            );
        if (colors == Inverted && width >= 16 && numbers != Floating)
            throw Unsupported($"in inverted grey of {width} bits");
        // libvips shows the numbers of the colors as grey.
        if (colors == Palette && width > 8)
            throw Unsupported($"with a palette and {width} bits per channel");
        // Red, green and blue of every color that the bits can name (TIFF 6.0, section 5).
        if (colors == Palette && TiffTags.All(encoded, TiffTags.ColorMap).Count != 3 << (int)width)
            throw new ImageDecodeException($"damaged TIFF: its palette is not of {1 << (int)width} colours");
        if (TiffTags.First(encoded, TiffTags.StripOffsets) is null && TiffTags.First(encoded, TiffTags.TileOffsets) is null)
            throw new ImageDecodeException("damaged TIFF: it has no strips or tiles of pixels");
    }

    /// <summary>
    /// How a compression is called where a warning of libtiff's is damage: it goes on with pixels that differ from version to version. Null
    /// for others.
    /// </summary>
    public static string? Guessed(ReadOnlySpan<byte> encoded) =>
        TiffTags.First(encoded, TiffTags.Compression) switch
        {
            // By runs (2), group 3 or group 4.
            >= 2 and <= 4 => "fax",
            Jpeg => "JPEG",
            _ => null,
        };

    /// <summary>Red, green and blue are multiplied by alpha, which is divided out again.</summary>
    public static bool IsPremultiplied(ReadOnlySpan<byte> encoded) => TiffTags.First(encoded, TiffTags.ExtraSamples) == PremultipliedAlpha;

    /// <summary>
    /// A copy for libvips: an orientation that does not exist is 1, as Pillow takes it and libtiff refuses it; premultiplied alpha counts
    /// as plain, since libvips would divide it out with another rounding; one channel is one plane, since libvips reads no separate ones in
    /// tiles; and any inks are cyan, magenta, yellow and black, as to Pillow, where libvips would show others as red, green and blue.
    /// </summary>
    public static byte[] Prepared(ReadOnlySpan<byte> encoded)
    {
        var copy = encoded.ToArray();
        if (TiffTags.First(encoded, TiffTags.Orientation) is not (null or (>= 1 and <= 8)))
            Set(copy, TiffTags.Orientation, 1);
        if (IsPremultiplied(encoded))
            Set(copy, TiffTags.ExtraSamples, PlainAlpha);
        if ((TiffTags.First(encoded, TiffTags.Samples) ?? 1) == 1 && TiffTags.First(encoded, TiffTags.Planes) == SeparatePlanes)
            Set(copy, TiffTags.Planes, OnePlane);
        if (TiffTags.First(encoded, TiffTags.InkSet) is not (null or Cmyk))
            Set(copy, TiffTags.InkSet, Cmyk);
        return copy;

        static void Set(byte[] file, int tag, byte value)
        {
            if (TiffTags.Place(file, tag) is { } place)
                (file[place], file[place + 1]) = file[0] == 'I' ? (value, (byte)0) : ((byte)0, value);
        }
    }

    /// <summary>
    /// libvips reads no tiles of separate planes, and of two planes it takes the rows of alpha for rows of the picture. Pillow 9.4 reads a
    /// plane without compression by the first letter of its mode: two bytes or a few bits of a level become whole levels, and inverted or
    /// mirrored ones stay as they are.
    /// </summary>
    private static void CheckPlanes(ReadOnlySpan<byte> encoded, long compression, long colors, long samples, long width)
    {
        const int LowBitFirst = 2;
        if (TiffTags.First(encoded, TiffTags.Planes) != SeparatePlanes)
            return;
        if (samples > 1 && TiffTags.IsTiled(encoded))
            throw Unsupported("in tiles of separate planes");
        if (samples == 2)
            throw Unsupported("with alpha in a plane of its own beside grey or a palette");
        if (colors == YCbCr)
            throw Unsupported("in YCbCr in separate planes");
        if (compression == Uncompressed)
        {
            if (width != 8 && (width, colors) is not (1, Grey))
                throw Unsupported($"of {width} bits per channel in separate planes without compression");
            if (colors == Inverted)
                throw Unsupported("in inverted grey in separate planes without compression");
            if (TiffTags.First(encoded, TiffTags.FillOrder) == LowBitFirst)
                throw Unsupported("with the low bit first in separate planes without compression");
        }
        // Pillow 9.4 takes planes of more channels than the colors have for channels of one plane.
        else if (samples > Channels(colors) && TiffTags.First(encoded, TiffTags.ExtraSamples) is null)
            throw Unsupported("in separate planes with a channel of unknown meaning");
    }

    /// <summary>
    /// libvips unpacks tiles of JPEG itself: it expects the channels of the colors alone, and reads no more bytes than twice those of the
    /// pixels.
    /// </summary>
    private static void CheckTiles(ReadOnlySpan<byte> encoded, long compression, long colors, long samples)
    {
        if (compression != Jpeg || !TiffTags.IsTiled(encoded))
            return;
        if (samples != Channels(colors))
            throw Unsupported($"in tiles of JPEG with {samples} channels");
        var (width, height) = (TiffTags.First(encoded, TiffTags.TileWidth) ?? 0, TiffTags.First(encoded, TiffTags.TileHeight) ?? 0);
        var pixels = Math.Min(width, int.MaxValue) * Math.Min(height, int.MaxValue);
        if (TiffTags.All(encoded, TiffTags.TileByteCounts).Any(bytes => bytes / (2 * samples) >= pixels))
            throw Unsupported("in tiles of JPEG that are longer than twice their pixels");
    }

    private static int Channels(long colors) =>
        colors switch
        {
            Rgb or YCbCr => 3,
            Inks => 4,
            _ => 1,
        };

    private static void CheckChannels(long colors, long samples)
    {
        var (least, most, name) = colors switch
        {
            Rgb => (3, 6, "RGB"),
            Inks => (4, 6, "inks"),
            YCbCr => (3, 3, "YCbCr"),
            Palette => (1, 2, "a palette"),
            _ => (1, 2, "grey"),
        };
        if (samples < least || samples > most)
            throw Unsupported($"in {name} with {samples} channels");
    }

    private static ImageDecodeException Unsupported(string what) =>
        new($"TIFF {what} is not supported: convert it to PNG, or to TIFF without compression in RGB");
}
