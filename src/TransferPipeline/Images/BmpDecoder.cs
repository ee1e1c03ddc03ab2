using System.Buffers.Binary;
using System.Numerics;

namespace TransferPipeline.Images;

/// <summary>
/// Windows and OS/2 bitmaps of 1 to 32 bits, plain, with bit masks or run-length encoded, as Pillow's BmpImagePlugin reads them.
/// </summary>
internal static class BmpDecoder
{
    private const int FileHeader = 14;
    private const int Raw = 0,
        Rle8 = 1,
        Rle4 = 2,
        BitFields = 3;

    public static void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination)
    {
        var header = Header.Read(encoded);
        PhotoDecoder.CheckSize(PhotoFormat.Bmp, header.Width, header.Height, options);
        var (width, height) = ((int)header.Width, (int)header.Height);
        var rows = header.Compression is Rle8 or Rle4
            ? Unpack(encoded, header.PixelOffset, width, height, header.Compression == Rle4)
            : encoded[header.PixelOffset..];
        var bits = header.Compression is Rle8 or Rle4 ? 8 : header.Bits;
        // Rows of the file are padded to four bytes; rows that Unpack makes are not.
        var stride = header.Compression is Rle8 or Rle4 ? width : (int)(((long)width * bits + 31) / 32 * 4);
        if (rows.Length < (long)stride * height)
            throw new ImageDecodeException($"truncated BMP: {rows.Length} bytes of pixels; expected {(long)stride * height}");

        // With more bits a palette is a hint for displays of few colors and may be of any length.
        if (bits <= 8 && header.Colors is < 0 or > 256)
            throw new ImageDecodeException($"damaged BMP: a palette of {header.Colors} colours");
        if (bits == 16)
        {
            destination.Resize(width, height);
            From16(rows, stride, header, destination);
            return;
        }

        // Pillow 9.4 drops such a palette and reads levels of 8 bits, or of 1 for two colours, whatever the file's bits.
        if (header.Compression == Raw && bits <= 8 && bits != (header.Colors == 2 ? 1 : 8) && IsGreyRamp(encoded, header))
            throw new ImageDecodeException(
                $"BMP of {bits} bits whose palette is {(header.Colors == 2 ? "black and white" : "the grey levels from 0 on")} is not "
                    + "supported: convert it to PNG"
            );
        var palette = bits <= 8 ? Palette(encoded, header) : [];
        destination.Resize(width, height);
        for (var y = 0; y < height; y++)
        {
            // The bottom row comes first, unless the file has a negative height.
            var row = rows.Slice((header.TopDown ? y : height - 1 - y) * stride, stride);
            var target = destination.Row(y);
            if (bits <= 8)
                FromPalette(row, bits, palette, target);
            else
                FromBytes(row, bits / 8, header, target);
        }
    }

    private static void FromPalette(ReadOnlySpan<byte> row, int bits, byte[] palette, Span<byte> target)
    {
        var mask = (1 << bits) - 1;
        for (var x = 0; x < target.Length / 3; x++)
        {
            var bit = x * bits;
            var index = row[bit >> 3] >> (8 - bits - (bit & 7)) & mask;
            palette.AsSpan(index * 3, 3).CopyTo(target[(x * 3)..]);
        }
    }

    /// <summary>Levels of any number of bits, scaled to 255 and rounded down as Pillow does with 5 and 6.</summary>
    private static void From16(ReadOnlySpan<byte> rows, int stride, in Header header, RgbImage destination)
    {
        // Without masks 16 bits are 5-5-5, and the top bit is not used.
        var (red, green, blue) = header.Compression == BitFields ? Channel.Of(header.Masks) : (new(10, 31), new(5, 31), new(0, 31));
        for (var y = 0; y < destination.Height; y++)
        {
            var row = rows[((header.TopDown ? y : destination.Height - 1 - y) * stride)..];
            var target = destination.Row(y);
            for (var x = 0; x < destination.Width; x++)
            {
                var value = BinaryPrimitives.ReadUInt16LittleEndian(row[(x * 2)..]);
                (target[x * 3], target[x * 3 + 1], target[x * 3 + 2]) = (red.Level(value), green.Level(value), blue.Level(value));
            }
        }
    }

    /// <summary>One colour in a pixel of 16 bits.</summary>
    /// <param name="Most">Its largest value.</param>
    private readonly record struct Channel(int Shift, int Most)
    {
        public byte Level(int value) => (byte)((value >> Shift & Most) * 255 / Most);

        /// <summary>Red, green and blue side by side in either order, as writers have them; other masks are damage.</summary>
        public static (Channel Red, Channel Green, Channel Blue) Of((uint Red, uint Green, uint Blue) masks)
        {
            var (red, green, blue) = (Of(masks.Red), Of(masks.Green), Of(masks.Blue));
            // 5-6-5, 5-5-5 and 4-4-4: a damaged bit of one makes none of the others.
            return
                (red.Most, green.Most, blue.Most) is (31, 63, 31) or (31, 31, 31) or (15, 15, 15)
                && (Follows(red, green) && Follows(green, blue) || Follows(blue, green) && Follows(green, red))
                ? (red, green, blue)
                : throw new ImageDecodeException(
                    $"BMP with colour masks {masks.Red:X}, {masks.Green:X} and {masks.Blue:X} is not supported"
                );
        }

        private static Channel Of(uint mask)
        {
            var shift = BitOperations.TrailingZeroCount(mask);
            var most = shift < 16 ? mask >> shift : 0;
            return mask <= ushort.MaxValue && BitOperations.IsPow2(most + 1) ? new(shift, (int)most) : new(-1, 0);
        }

        private static bool Follows(Channel above, Channel below) => above.Shift == below.Shift + BitOperations.PopCount((uint)below.Most);
    }

    private static void FromBytes(ReadOnlySpan<byte> row, int size, in Header header, Span<byte> target)
    {
        var (red, green, blue) = (2, 1, 0);
        // Pillow takes masks that are all zero for the usual order B G R A.
        if (header.Compression == BitFields && (header.Masks.Red | header.Masks.Green | header.Masks.Blue) != 0)
            (red, green, blue) = Places(header.Masks, size);
        for (var x = 0; x < target.Length / 3; x++)
        {
            var pixel = row[(x * size)..];
            target[x * 3] = pixel[red];
            target[x * 3 + 1] = pixel[green];
            target[x * 3 + 2] = pixel[blue];
        }
    }

    /// <summary>The bytes of red, green and blue in a pixel; other masks than Pillow's are damage.</summary>
    private static (int Red, int Green, int Blue) Places((uint Red, uint Green, uint Blue) masks, int size) =>
        (masks, size) switch
        {
            ((0xFF0000, 0xFF00, 0xFF), _) => (2, 1, 0),
            ((0xFF000000, 0xFF0000, 0xFF00), 4) => (3, 2, 1),
            ((0xFF, 0xFF00, 0xFF0000), 4) => (0, 1, 2),
            _ => throw new ImageDecodeException(
                $"BMP with colour masks {masks.Red:X}, {masks.Green:X} and {masks.Blue:X} is not supported"
            ),
        };

    /// <summary>Each colour is the grey level of its index; of two colours the second is white.</summary>
    private static bool IsGreyRamp(ReadOnlySpan<byte> encoded, in Header header)
    {
        for (var i = 0; i < header.Colors; i++)
        {
            var at = header.PaletteOffset + i * header.PaletteEntry;
            var level = (byte)(header.Colors == 2 ? i * byte.MaxValue : i);
            if (at > encoded.Length - 3 || encoded.Slice(at, 3).ContainsAnyExcept(level))
                return false;
        }

        return true;
    }

    /// <summary>Entries that the file lacks stay grey, as in a new PIL palette.</summary>
    private static byte[] Palette(ReadOnlySpan<byte> encoded, in Header header)
    {
        var palette = new byte[256 * 3];
        for (var i = 0; i < palette.Length; i++)
            palette[i] = (byte)(i / 3);
        var entries = encoded[Math.Min(header.PaletteOffset, encoded.Length)..];
        for (var i = 0; i < Math.Min(header.Colors, 256) && entries.Length >= header.PaletteEntry; i++)
        {
            (palette[i * 3], palette[i * 3 + 1], palette[i * 3 + 2]) = (entries[2], entries[1], entries[0]);
            entries = entries[header.PaletteEntry..];
        }

        return palette;
    }

    /// <summary>Run-length decoding to one byte per pixel; pairs of (count, value), where a count of 0 begins an escape.</summary>
    private static byte[] Unpack(ReadOnlySpan<byte> encoded, int start, int width, int height, bool nibbles)
    {
        var pixels = new byte[width * height];
        var (filled, x, i) = (0, 0, start);
        while (filled < pixels.Length)
        {
            if (i + 2 > encoded.Length)
                throw new ImageDecodeException($"truncated BMP: {filled} of {pixels.Length} pixels");
            int count = encoded[i],
                value = encoded[i + 1];
            i += 2;
            if (count > 0)
            {
                // Pillow cuts a run at the end of its row; the rest of it does not go to the next row.
                count = Math.Min(count, Math.Min(width - Math.Min(x, width), pixels.Length - filled));
                for (var n = 0; n < count; n++)
                    pixels[filled++] = (byte)(
                        !nibbles ? value
                        : n % 2 == 0 ? value >> 4
                        : value & 15
                    );
                x += count;
            }
            else if (value == 0)
            {
                // The rest of the row keeps color 0, with which Pillow fills it.
                filled = (filled + width - 1) / width * width;
                x = 0;
            }
            else if (value == 1)
            {
                break;
            }
            else if (value == 2)
            {
                // Pillow 9.4 takes the two bytes behind the step for it.
                throw new ImageDecodeException("BMP with run lengths that skip pixels is not supported: convert it to PNG");
            }
            else
            {
                // Rounded down, as in Pillow: the last pixel of an odd number of nibbles is not read.
                var bytes = nibbles ? value / 2 : value;
                if (i + bytes > encoded.Length)
                    throw new ImageDecodeException("truncated BMP");
                for (var n = 0; n < (nibbles ? bytes * 2 : bytes) && filled < pixels.Length; n++)
                    pixels[filled++] = (byte)(
                        !nibbles ? encoded[i + n]
                        : n % 2 == 0 ? encoded[i + n / 2] >> 4
                        : encoded[i + n / 2] & 15
                    );
                x += value;
                // Padded to an even place in the file, not in the run, since Pillow aligns by its file position.
                i += bytes + (i + bytes & 1);
            }
        }

        return filled == pixels.Length ? pixels : throw new ImageDecodeException($"truncated BMP: {filled} of {pixels.Length} pixels");
    }

    private readonly record struct Header(
        long Width,
        long Height,
        bool TopDown,
        int Bits,
        int Compression,
        int Colors,
        int PaletteOffset,
        int PaletteEntry,
        int PixelOffset,
        (uint Red, uint Green, uint Blue) Masks
    )
    {
        public static Header Read(ReadOnlySpan<byte> encoded)
        {
            var size = encoded.Length >= FileHeader + 4 ? BinaryPrimitives.ReadInt32LittleEndian(encoded[FileHeader..]) : 0;
            // 12 and 64 are OS/2's, 40 is BITMAPINFOHEADER, 52 and 56 its forms with masks, 108 and 124 V4 and V5.
            if (size is not (12 or 40 or 52 or 56 or 64 or 108 or 124))
                throw new ImageDecodeException(size == 0 ? "truncated BMP" : $"BMP with a header of {size} bytes is not supported");
            if (encoded.Length < FileHeader + size)
                throw new ImageDecodeException("truncated BMP");
            var info = encoded[FileHeader..];
            long width,
                height;
            int bits,
                compression = Raw,
                colors = 0;
            (uint, uint, uint) masks = default;
            if (size == 12)
            {
                (width, height) = (BinaryPrimitives.ReadUInt16LittleEndian(info[4..]), BinaryPrimitives.ReadUInt16LittleEndian(info[6..]));
                bits = BinaryPrimitives.ReadUInt16LittleEndian(info[10..]);
            }
            else
            {
                (width, height) = (BinaryPrimitives.ReadInt32LittleEndian(info[4..]), BinaryPrimitives.ReadInt32LittleEndian(info[8..]));
                bits = BinaryPrimitives.ReadUInt16LittleEndian(info[14..]);
                compression = BinaryPrimitives.ReadInt32LittleEndian(info[16..]);
                colors = BinaryPrimitives.ReadInt32LittleEndian(info[32..]);
            }

            if (compression == BitFields)
            {
                // Behind BITMAPINFOHEADER, and within the longer headers, at the same place.
                if (info.Length < 40 + 12)
                    throw new ImageDecodeException("truncated BMP");
                masks = (
                    BinaryPrimitives.ReadUInt32LittleEndian(info[40..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(info[44..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(info[48..])
                );
            }

            if (bits is not (1 or 4 or 8 or 16 or 24 or 32))
                throw new ImageDecodeException($"BMP of {bits} bits per pixel is not supported");
            if (compression is not (Raw or Rle8 or Rle4 or BitFields))
                throw new ImageDecodeException($"BMP with compression {compression} is not supported");
            if (size is 52 or 56 && compression != BitFields)
                throw new ImageDecodeException($"BMP with a header of {size} bytes and without colour masks is not supported");
            if ((compression is Rle8 && bits != 8) || (compression is Rle4 && bits != 4) || (compression is BitFields && bits < 16))
                throw new ImageDecodeException($"damaged BMP: compression {compression} with {bits} bits per pixel");
            // 0 stands for all colors that the bits can name.
            if (colors == 0 && bits <= 8)
                colors = 1 << bits;
            // Only OS/2 1 has palette entries without a fourth byte.
            var entry = size == 12 ? 3 : 4;
            var offset = BinaryPrimitives.ReadInt32LittleEndian(encoded[10..]);

            // Pillow takes 0 for the place behind header and masks, and some writers give the palette's offset for the pixels'.
            if (offset == 0)
                offset = FileHeader + size + (size == 40 && compression == BitFields ? 12 : 0);
            if (offset == FileHeader + size && bits <= 8)
                offset += entry * Math.Min(colors, 256);
            if (offset < FileHeader + size || offset > encoded.Length)
                throw new ImageDecodeException($"truncated BMP: pixels at byte {offset} of {encoded.Length}");
            return new Header(width, Math.Abs(height), height < 0, bits, compression, colors, FileHeader + size, entry, offset, masks);
        }
    }
}
