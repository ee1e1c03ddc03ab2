using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace TransferPipeline.Images;

/// <summary>
/// What a PNG file states in its chunks (PNG, third edition, 11): whether those before the pixels are intact, and how the photo is turned.
/// </summary>
internal static partial class PngChunks
{
    // Around is the length, name and checksum of a chunk. MostText is Pillow's limit for a text chunk:
    // a few packed bytes could become gigabytes.
    private const int Signature = 8,
        NameEnd = 8,
        Around = 12,
        MostText = 1 << 20;
    private const uint Polynomial = 0xEDB88320;

    /// <summary>With other characters in a chunk's name Pillow ends at it.</summary>
    private static readonly SearchValues<byte> NameCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"u8
    );

    private static readonly uint[] Remainders =
    [
        .. Enumerable
            .Range(0, 256)
            .Select(static value =>
            {
                var remainder = (uint)value;
                for (var bit = 0; bit < 8; bit++)
                    remainder = (remainder & 1) != 0 ? remainder >> 1 ^ Polynomial : remainder >> 1;
                return remainder;
            }),
    ];

    /// <summary>Pillow refuses a wrong checksum in any chunk before the pixels; libpng goes on, with a palette that may be wrong.</summary>
    /// <exception cref="ImageDecodeException">A checksum before the pixels is wrong.</exception>
    public static void CheckHeader(ReadOnlySpan<byte> encoded)
    {
        for (var at = Signature; TryRead(encoded, at, out var name, out var data); at += Around + data.Length)
        {
            if (name.SequenceEqual("CgBI"u8))
                throw new ImageDecodeException("PNG of an iOS app (CgBI) is not supported: convert it to PNG");
            if (name.SequenceEqual("IDAT"u8))
            {
                CheckEnd(encoded, at + Around + data.Length);
                return;
            }

            if (Checksum(encoded.Slice(at + 4, 4 + data.Length)) != BinaryPrimitives.ReadUInt32BigEndian(encoded[(at + 8 + data.Length)..]))
                throw new ImageDecodeException($"damaged PNG: the checksum of its chunk {Printable(name)} is wrong");
            CheckContent(encoded, name, data);
        }
    }

    /// <summary>Pillow reads what a chunk states beside the pixels too, and fails on one that is too short for it.</summary>
    private static void CheckContent(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        const int SizeAt = 16,
            ColorTypeAt = 25,
            OfGrey = 0,
            OfColors = 2;
        var color = encoded.Length > ColorTypeAt ? encoded[ColorTypeAt] : OfGrey;
        var least = Encoding.ASCII.GetString(name) switch
        {
            "gAMA" => 4,
            "sRGB" => 1,
            "pHYs" => 9,
            "acTL" => 8,
            "fcTL" => 26,
            "tRNS" when color == OfGrey => 2,
            "tRNS" when color == OfColors => 6,
            _ => 0,
        };
        // Eight numbers of four bytes; Pillow takes any count of whole ones.
        if (data.Length < least || (name.SequenceEqual("cHRM"u8) && data.Length % 4 != 0))
            throw new ImageDecodeException($"damaged PNG: its chunk {Printable(name)} has {data.Length} bytes");
        // The byte behind the keyword is the compression method, of which PNG has one.
        if (
            (name.SequenceEqual("zTXt"u8) || name.SequenceEqual("iCCP"u8))
            && data.IndexOf((byte)0) is >= 0 and var end
            && end + 1 < data.Length
            && data[end + 1] != 0
        )
            throw new ImageDecodeException($"damaged PNG: its chunk {Printable(name)} is packed by an unknown method");
        // Pillow unpacks the pixels into the frame's place, libpng into the whole picture.
        if (
            name.SequenceEqual("fcTL"u8)
            && encoded.Length >= SizeAt + 8
            && !(data.Slice(4, 8).SequenceEqual(encoded.Slice(SizeAt, 8)) && !data.Slice(12, 8).ContainsAnyExcept((byte)0))
        )
            throw new ImageDecodeException("damaged PNG: the first frame of its animation is not the whole picture");
        // Part of another frame, without the chunk that begins it.
        if (name.SequenceEqual("fdAT"u8))
            throw new ImageDecodeException($"damaged PNG: its chunk {Printable(name)} belongs to no frame");
    }

    /// <summary>Pillow also reads the chunks behind the pixels, up to another frame, and refuses a file that is cut in one.</summary>
    private static void CheckEnd(ReadOnlySpan<byte> encoded, int at)
    {
        while (at <= encoded.Length - NameEnd)
        {
            var name = encoded.Slice(at + 4, 4);
            var end = at + NameEnd + (long)BinaryPrimitives.ReadUInt32BigEndian(encoded[at..]);
            if (name.SequenceEqual("IEND"u8) || name.SequenceEqual("fcTL"u8) || name.ContainsAnyExcept(NameCharacters))
                return;
            if (end > encoded.Length)
            {
                // Of a cut IDAT the pixels may be there, which the library finds.
                if (!name.SequenceEqual("IDAT"u8))
                    throw new ImageDecodeException($"truncated PNG: its chunk {Printable(name)} ends at byte {end} of {encoded.Length}");
                return;
            }

            CheckContent(encoded, name, encoded[(at + NameEnd)..(int)end]);
            at = (int)Math.Min(end + 4, int.MaxValue);
        }
    }

    /// <summary>
    /// A copy whose palette has all colours that its bits can name, the missing ones grey as in a palette of Pillow's; without it libpng
    /// makes pixels beyond the palette black.
    /// </summary>
    public static byte[] WithWholePalette(ReadOnlySpan<byte> encoded)
    {
        const int ColorTypeAt = 25,
            DepthAt = 24,
            OfPalette = 3,
            Channels = 3;
        if (encoded.Length <= ColorTypeAt || encoded[ColorTypeAt] != OfPalette || encoded[DepthAt] > 8)
            return encoded.ToArray();
        var colors = 1 << encoded[DepthAt];
        for (var at = Signature; TryRead(encoded, at, out var name, out var data); at += Around + data.Length)
        {
            if (!name.SequenceEqual("PLTE"u8))
                continue;
            var missing = colors * Channels - data.Length;
            if (missing <= 0)
                break;
            var copy = new byte[encoded.Length + missing];
            var end = at + 8 + data.Length;
            encoded[..end].CopyTo(copy);
            // Entry n of a new palette of Pillow's is the gray level n, also where the file has a part of it.
            for (var i = data.Length / Channels * Channels; i < colors * Channels; i++)
                copy[at + 8 + i] = (byte)(i / Channels);
            BinaryPrimitives.WriteInt32BigEndian(copy.AsSpan(at), colors * Channels);
            BinaryPrimitives.WriteUInt32BigEndian(copy.AsSpan(end + missing), Checksum(copy.AsSpan(at + 4, 4 + colors * Channels)));
            encoded[(end + 4)..].CopyTo(copy.AsSpan(end + missing + 4));
            return copy;
        }

        return encoded.ToArray();
    }

    /// <summary>
    /// Orientation as Pillow finds it: in eXIf wherever it stands, else in a raw profile of ImageMagick, and where EXIF has none in XMP.
    /// Null for none.
    /// </summary>
    public static int? Orientation(ReadOnlySpan<byte> encoded)
    {
        byte[]? exif = null,
            profile = null;
        string? xmp = null;
        for (var at = Signature; TryRead(encoded, at, out var name, out var data); at += Around + data.Length)
        {
            if (name.SequenceEqual("eXIf"u8))
                exif = data.ToArray();
            else if (name.SequenceEqual("tEXt"u8) || name.SequenceEqual("zTXt"u8) || name.SequenceEqual("iTXt"u8))
                ReadText(name, data, ref profile, ref xmp);
        }

        return ExifOrientation.Read(exif ?? profile)
            ?? (
                xmp is not null && XmpOrientation().Match(xmp) is { Success: true } match
                    ? int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture)
                    : null
            );
    }

    private static void ReadText(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, ref byte[]? profile, ref string? xmp)
    {
        var end = data.IndexOf((byte)0);
        if (end < 0)
            return;
        var key = Encoding.Latin1.GetString(data[..end]);
        if (key is not ("XML:com.adobe.xmp" or "Raw profile type exif"))
            return;
        var text = data[(end + 1)..];
        if (name.SequenceEqual("zTXt"u8))
        {
            // The byte in front is the compression method, of which PNG has one.
            text = text.IsEmpty ? text : Inflate(text[1..]);
        }
        else if (name.SequenceEqual("iTXt"u8) && text.Length > 2)
        {
            // A flag and the method, then language and translated keyword, each with a zero behind it (PNG, iTXt).
            var isPacked = text[0] != 0;
            text = text[2..];
            for (var skipped = 0; skipped < 2; skipped++)
                text = text[(text.IndexOf((byte)0) + 1)..];
            text = isPacked ? Inflate(text) : text;
        }

        if (key != "Raw profile type exif")
            xmp = Encoding.UTF8.GetString(text);
        else if (FromHex(Encoding.Latin1.GetString(text)) is { } bytes)
            profile = bytes;
    }

    /// <summary>A raw profile: an empty line, its name, its length, then lines of hexadecimal digits.</summary>
    private static byte[]? FromHex(string text)
    {
        var digits = string.Concat(text.Split('\n').Skip(3)).Trim();
        return digits.Length % 2 == 0 && digits.All(char.IsAsciiHexDigit) ? Convert.FromHexString(digits) : null;
    }

    /// <summary>At most <see cref="MostText"/> bytes; nothing when they are damaged.</summary>
    private static byte[] Inflate(ReadOnlySpan<byte> packed)
    {
        var text = new byte[MostText];
        using var stream = new ZLibStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
        try
        {
            return text[..stream.ReadAtLeast(text, MostText, throwOnEndOfStream: false)];
        }
        catch (InvalidDataException)
        {
            // Text beside the pixels: Pillow leaves a damaged one out as well.
            return [];
        }
    }

    private static bool TryRead(ReadOnlySpan<byte> encoded, int at, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> data)
    {
        name = data = default;
        // A chunk that the file's end cuts ends the walk; the decoder behind reports it.
        if (
            at > encoded.Length - Around
            || BinaryPrimitives.ReadUInt32BigEndian(encoded[at..]) is var length && length > encoded.Length - Around - at
        )
            return false;
        name = encoded.Slice(at + 4, 4);
        data = encoded.Slice(at + 8, (int)length);
        return true;
    }

    /// <summary>CRC-32 of ISO 3309.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var remainder = uint.MaxValue;
        foreach (var value in bytes)
            remainder = Remainders[(byte)(remainder ^ value)] ^ remainder >> 8;
        return ~remainder;
    }

    private static string Printable(ReadOnlySpan<byte> name) =>
        name.ContainsAnyExceptInRange((byte)'!', (byte)'~') ? Convert.ToHexString(name) : Encoding.ASCII.GetString(name);

    [GeneratedRegex("tiff:Orientation(=\"|>)([0-9])")]
    private static partial Regex XmpOrientation();
}
