namespace TransferPipeline.Images;

/// <summary>Netpbm's PBM, PGM and PPM (P1 to P6), read as Pillow's PpmImagePlugin does.</summary>
internal static class PpmDecoder
{
    public static void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination)
    {
        var kind = encoded[1] - '0';
        var reader = new Reader(encoded[2..]);
        var width = reader.Number();
        var height = reader.Number();
        var isBitmap = kind is 1 or 4;
        var top = isBitmap ? 1 : reader.Number();
        PhotoDecoder.CheckSize(PhotoFormat.Ppm, width, height, options);
        // Netpbm's limit: a value of a binary file has one or two bytes.
        if (top is < 1 or > 65535)
            throw new ImageDecodeException($"damaged PPM: largest value {top}; expected 1 to 65535");
        var isText = kind <= 3;
        var channels = kind is 3 or 6 ? 3 : 1;
        if (!isText)
            // One byte of white space alone: what follows is pixels, even where it looks like white space or a comment.
            reader.SkipOne();
        var rowBytes = kind == 4 ? (width + 7) / 8 : width * channels * (top > 255 ? 2 : 1);
        // Before memory is reserved. In text a value takes at least one character,
        // so that a header alone cannot ask for gigabytes.
        if (isText ? reader.Rest.Length < width * height * channels : reader.Rest.Length < rowBytes * height)
            throw new ImageDecodeException(
                $"truncated PPM: {reader.Rest.Length} bytes of pixels; expected {(isText ? width * height * channels : rowBytes * height)}"
            );

        destination.Resize((int)width, (int)height);
        var levels = Levels((int)top, isGrey: channels == 1);
        for (var y = 0; y < (int)height; y++)
        {
            var row = destination.Row(y);
            var bytes = isText ? default : reader.Rest.Slice((int)(y * rowBytes), (int)rowBytes);
            for (var x = 0; x < row.Length; x += 3)
            {
                for (var c = 0; c < channels; c++)
                {
                    var index = x / 3 * channels + c;
                    row[x + c] = kind switch
                    {
                        1 => reader.Bit() ? (byte)0 : (byte)255,
                        4 => (bytes[index >> 3] >> (7 - (index & 7)) & 1) != 0 ? (byte)0 : (byte)255,
                        2 or 3 => levels[Plain(ref reader, top)],
                        // Pillow clips binary values beyond the largest one; in text it refuses them.
                        _ when top > 255 => Level(levels, bytes[2 * index] << 8 | bytes[2 * index + 1]),
                        _ => Level(levels, bytes[index]),
                    };
                }

                if (channels == 1)
                    row[x + 1] = row[x + 2] = row[x];
            }
        }

        if (kind == 1)
            reader.RequireBitsToTheEnd();
    }

    /// <summary>
    /// Grey of more than 8 bits becomes PIL's mode I, whose levels convert("RGB") clips; all else is scaled, half to even.
    /// </summary>
    private static byte[] Levels(int top, bool isGrey)
    {
        var levels = new byte[top + 1];
        for (var value = 0; value <= top; value++)
        {
            levels[value] =
                isGrey && top > 255
                    ? (byte)Math.Min(Math.Round((double)value / top * 65535), 255)
                    : (byte)Math.Round((double)value / top * 255);
        }

        return levels;
    }

    /// <summary>A value of a file in text, where one beyond the largest is damage.</summary>
    private static int Plain(ref Reader reader, long top) =>
        reader.Number() is var value && value <= top
            ? (int)value
            : throw new ImageDecodeException($"damaged PPM: a value of {value}; the largest is {top}");

    private static byte Level(byte[] levels, long value) => levels[(int)Math.Min(value, levels.Length - 1)];

    /// <summary>White space, comments and decimal numbers.</summary>
    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        public ReadOnlySpan<byte> Rest { get; private set; } = bytes;

        public long Number()
        {
            SkipSpace();
            long value = 0;
            var digits = 0;
            while (!Rest.IsEmpty && !IsSpace(Rest[0]))
            {
                // To Pillow a comment is nothing at all: digits before and behind it are one number.
                if (Rest[0] == '#')
                {
                    SkipComment();
                    continue;
                }

                // Ten digits at most, as in Pillow, which cannot overflow a long.
                if (!char.IsAsciiDigit((char)Rest[0]) || ++digits > 10)
                    throw new ImageDecodeException("damaged PPM: a number was expected");
                value = value * 10 + Rest[0] - '0';
                Rest = Rest[1..];
            }

            return digits > 0 ? value : throw new ImageDecodeException("truncated PPM");
        }

        /// <summary>One digit of a plain PBM; they need no space between them.</summary>
        public bool Bit()
        {
            SkipSpace();
            if (Rest.IsEmpty || Rest[0] is not ((byte)'0' or (byte)'1'))
                throw new ImageDecodeException(Rest.IsEmpty ? "truncated PPM" : "damaged PPM: 0 or 1 was expected");
            var isSet = Rest[0] == '1';
            Rest = Rest[1..];
            return isSet;
        }

        public void SkipOne() => Rest = Rest.IsEmpty ? Rest : Rest[1..];

        /// <summary>Anything but digits of a plain PBM behind its pixels is damage, as in Pillow.</summary>
        public void RequireBitsToTheEnd()
        {
            for (SkipSpace(); !Rest.IsEmpty; SkipSpace())
                Bit();
        }

        /// <summary>C's white space.</summary>
        private static bool IsSpace(byte value) => value is (byte)' ' or (>= (byte)'\t' and <= (byte)'\r');

        private void SkipSpace()
        {
            while (!Rest.IsEmpty && (IsSpace(Rest[0]) || Rest[0] == '#'))
            {
                if (Rest[0] == '#')
                    SkipComment();
                else
                    Rest = Rest[1..];
            }
        }

        private void SkipComment()
        {
            var end = Rest.IndexOfAny((byte)'\n', (byte)'\r');
            Rest = end < 0 ? default : Rest[(end + 1)..];
        }
    }
}
