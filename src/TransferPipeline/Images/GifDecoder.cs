using System.Buffers.Binary;

namespace TransferPipeline.Images;

/// <summary>
/// The first frame of a GIF (CompuServe's GIF89a specification), as Pillow's GifImagePlugin and <c>convert("RGB")</c> give it:
/// transparent pixels keep their palette colour.
/// </summary>
internal static class GifDecoder
{
    private const int Extension = 0x21,
        Image = 0x2C,
        Trailer = 0x3B,
        GraphicControl = 0xF9;
    private const int MostCodes = 4096;

    public static void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination)
    {
        var reader = new Reader(encoded);
        reader.Take(6);
        var screen = reader.Take(7);
        // A palette of Pillow's begins as a gray ramp, and a shorter table replaces its first colors alone.
        var palette = GreyPalette();
        if ((screen[4] & 0x80) != 0)
            reader.Take(3 << ((screen[4] & 7) + 1)).CopyTo(palette);
        var transparent = FindImage(ref reader);
        var frame = reader.Take(9);
        int left = U16(frame, 0),
            top = U16(frame, 2),
            frameWidth = U16(frame, 4),
            frameHeight = U16(frame, 6);

        // A frame that reaches beyond the screen enlarges it.
        var width = Math.Max(U16(screen, 0), left + frameWidth);
        var height = Math.Max(U16(screen, 2), top + frameHeight);
        PhotoDecoder.CheckSize(PhotoFormat.Gif, width, height, options);
        // The check above bounds the frame's area too; this one refuses a frame without pixels.
        PhotoDecoder.CheckSize(PhotoFormat.Gif, frameWidth, frameHeight, options);
        if ((frame[8] & 0x80) != 0)
        {
            // A table of the frame replaces the screen's, also where it is shorter.
            var own = GreyPalette();
            reader.Take(3 << ((frame[8] & 7) + 1)).CopyTo(own);
            var grey = GreyPalette();
            // Pillow 9.4 drops such a table, and then takes the colours of the screen's.
            if (own.AsSpan().SequenceEqual(grey) && !palette.AsSpan().SequenceEqual(grey))
                throw new ImageDecodeException(
                    "GIF whose first frame has a palette of the grey levels from 0 on beside another palette is not supported: convert "
                        + "it to PNG"
                );
            palette = own;
        }

        var indices = Unpack(ref reader, frameWidth * frameHeight);
        destination.Resize(width, height);
        // Pillow fills the screen with the transparent index, else with 0, before it draws the frame.
        Fill(destination, palette.AsSpan(Math.Max(transparent, 0) * 3, 3));
        var isInterlaced = (frame[8] & 0x40) != 0;
        for (var y = 0; y < frameHeight; y++)
        {
            var row = destination.Row(top + (isInterlaced ? InterlacedRow(y, frameHeight) : y))[(left * 3)..];
            for (var x = 0; x < frameWidth; x++)
                palette.AsSpan(indices[y * frameWidth + x] * 3, 3).CopyTo(row[(x * 3)..]);
        }
    }

    /// <summary>Skips to the first image; returns its transparent index, -1 for none.</summary>
    private static int FindImage(ref Reader reader)
    {
        var transparent = -1;
        while (true)
        {
            var kind = reader.Take(1)[0];
            if (kind == Image)
                return transparent;
            if (kind == Trailer)
                throw new ImageDecodeException("GIF without an image");
            // Like Pillow, it skips bytes between blocks that begin none.
            if (kind != Extension)
                continue;
            var label = reader.Take(1)[0];
            for (var block = reader.Block(); !block.IsEmpty; block = reader.Block())
            {
                // The last one that names an index counts; one without the flag takes none back.
                if (label == GraphicControl && block.Length >= 4 && (block[0] & 1) != 0)
                    transparent = block[3];
            }
        }
    }

    /// <summary>Variable-length LZW: codes grow from the minimum size + 1 to 12 bits.</summary>
    private static byte[] Unpack(ref Reader reader, int count)
    {
        int minimum = reader.Take(1)[0];
        // GIF89a asks for 2 where pixels have one bit (appendix F), but Pillow reads 1 as well.
        if (minimum is < 1 or > 8)
            throw new ImageDecodeException($"damaged GIF: code size {minimum}");
        var (clear, end) = (1 << minimum, (1 << minimum) + 1);
        Span<short> prefix = stackalloc short[MostCodes];
        Span<byte> suffix = stackalloc byte[MostCodes];
        Span<byte> stack = stackalloc byte[MostCodes];
        for (var i = 0; i < clear; i++)
            suffix[i] = (byte)i;
        var indices = new byte[count];
        var (filled, next, size, previous, first) = (0, end + 1, minimum + 1, -1, 0);
        var (bits, available) = (0u, 0);
        ReadOnlySpan<byte> block = default;
        // The last pixel ends the loop: like Pillow's decoder it needs no end code.
        while (filled < count)
        {
            while (available < size)
            {
                if (block.IsEmpty && (block = reader.Block()).IsEmpty)
                    throw Truncated(filled, count);
                bits |= (uint)block[0] << available;
                block = block[1..];
                available += 8;
            }

            var code = (int)(bits & ((1u << size) - 1));
            bits >>= size;
            available -= size;
            if (code == end)
                throw Truncated(filled, count);
            if (code == clear)
            {
                (next, size, previous) = (end + 1, minimum + 1, -1);
                continue;
            }

            // The code that is being defined may be used at once, if there is a code before it;
            // after a clear code only plain colors may come.
            if (code > next || (code == next && previous < 0) || (previous < 0 && code > end))
                throw new ImageDecodeException($"damaged GIF: {filled} of {count} pixels");
            var depth = 0;
            var walk = code;
            if (code == next)
            {
                stack[depth++] = (byte)first;
                walk = previous;
            }

            for (; walk > end; walk = prefix[walk])
                stack[depth++] = suffix[walk];
            first = suffix[walk];
            stack[depth++] = (byte)first;
            while (depth > 0 && filled < count)
                indices[filled++] = stack[--depth];
            // A full table stays as it is until the next clear code (GIF89a: deferred clear codes).
            if (previous >= 0 && next < MostCodes)
            {
                prefix[next] = (short)previous;
                suffix[next++] = (byte)first;
                if (next == 1 << size && size < 12)
                    size++;
            }

            previous = code;
        }

        return indices;
    }

    private static ImageDecodeException Truncated(int filled, int count) => new($"truncated GIF: {filled} of {count} pixels");

    /// <summary>Four passes: every 8th row, then from 4, then from 2 every 4th, then every odd row.</summary>
    private static int InterlacedRow(int index, int height)
    {
        foreach (var (start, step) in ((int, int)[])[(0, 8), (4, 8), (2, 4), (1, 2)])
        {
            var rows = (height - start + step - 1) / step;
            if (index < rows)
                return start + index * step;
            index -= Math.Max(rows, 0);
        }

        return height - 1;
    }

    private static byte[] GreyPalette()
    {
        var palette = new byte[256 * 3];
        for (var i = 0; i < palette.Length; i++)
            palette[i] = (byte)(i / 3);
        return palette;
    }

    private static void Fill(RgbImage image, ReadOnlySpan<byte> color)
    {
        var pixels = image.Pixels;
        for (var i = 0; i < pixels.Length; i += 3)
            color.CopyTo(pixels[i..]);
    }

    private static int U16(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    private ref struct Reader(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        public ReadOnlySpan<byte> Take(int count)
        {
            if (_rest.Length < count)
                throw new ImageDecodeException("truncated GIF");
            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }

        /// <summary>A sub-block of 1 to 255 bytes; empty at the end of the sequence.</summary>
        public ReadOnlySpan<byte> Block() => Take(Take(1)[0]);
    }
}
