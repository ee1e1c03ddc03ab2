namespace TransferPipeline.Images.Augmentations;

/// <summary>PIL's ImageEnhance (a blend with a degenerate picture) and its 8-bit HSV, on R G B bytes in place.</summary>
internal static class ColorChanges
{
    /// <summary>Blends with black.</summary>
    public static void Brightness(Span<byte> pixels, float factor) => Map(pixels, Table(factor, 0));

    /// <summary>Blends with the mean grey of the picture.</summary>
    public static void Contrast(Span<byte> pixels, float factor)
    {
        long sum = 0;
        for (var i = 0; i < pixels.Length; i += 3)
            sum += Grey(pixels[i], pixels[i + 1], pixels[i + 2]);
        // ImageEnhance.Contrast rounds the mean to a whole level before it blends.
        Map(pixels, Table(factor, (int)((double)sum / (pixels.Length / 3) + 0.5)));
    }

    /// <summary>Blends each pixel with its grey.</summary>
    public static void Saturation(Span<byte> pixels, float factor)
    {
        for (var i = 0; i < pixels.Length; i += 3)
        {
            var grey = Grey(pixels[i], pixels[i + 1], pixels[i + 2]);
            for (var c = i; c < i + 3; c++)
                pixels[c] = Blend(grey, pixels[c], factor);
        }
    }

    /// <summary>Adds to the hue, which goes around in 256 steps; the amount is cut to whole steps of 1/255 turn.</summary>
    public static void Hue(Span<byte> pixels, double turns)
    {
        // torchvision's np.uint8(hue_factor * 255): a negative turn wraps around modulo 256.
        var step = (byte)(int)(turns * 255);
        for (var i = 0; i < pixels.Length; i += 3)
        {
            var (hue, saturation, value) = ToHsv(pixels[i], pixels[i + 1], pixels[i + 2]);
            (pixels[i], pixels[i + 1], pixels[i + 2]) = FromHsv((byte)(hue + step), saturation, value);
        }
    }

    /// <summary>PIL's blend: truncated between the pictures, clipped beyond them, in float32.</summary>
    private static byte Blend(int degenerate, int level, float factor)
    {
        var blended = degenerate + factor * (level - degenerate);
        return blended <= 0 ? (byte)0
            : blended >= 255 ? (byte)255
            : (byte)blended;
    }

    private static byte[] Table(float factor, int degenerate)
    {
        var table = new byte[256];
        for (var level = 0; level < table.Length; level++)
            table[level] = Blend(degenerate, level, factor);
        return table;
    }

    private static void Map(Span<byte> pixels, byte[] table)
    {
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = table[pixels[i]];
    }

    /// <summary>ITU-R 601-2 luma with 16 fractional bits, as PIL's convert("L").</summary>
    private static int Grey(int red, int green, int blue) => (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;

    /// <summary>Hue, saturation, value of 8 bits; single and double precision alternate as in Pillow's Convert.c.</summary>
    private static (byte Hue, byte Saturation, byte Value) ToHsv(byte red, byte green, byte blue)
    {
        var most = Math.Max(red, Math.Max(green, blue));
        var least = Math.Min(red, Math.Min(green, blue));
        if (least == most)
            return (0, 0, most);
        float range = most - least;
        var saturation = range / most;
        var (r, g, b) = ((most - red) / range, (most - green) / range, (most - blue) / range);
        var sixths =
            red == most ? b - g
            : green == most ? (float)(2.0 + r - b)
            : (float)(4.0 + g - r);
        var hue = (float)((sixths / 6.0 + 1.0) % 1.0);
        return ((byte)Math.Clamp((int)(hue * 255.0), 0, 255), (byte)Math.Clamp((int)(saturation * 255.0), 0, 255), most);
    }

    private static (byte Red, byte Green, byte Blue) FromHsv(byte hue, byte saturation, byte value)
    {
        if (saturation == 0)
            return (value, value, value);
        var sixth = (int)Math.Floor(hue * 6.0 / 255.0);
        var rest = (float)(hue * 6.0 / 255.0 - sixth);
        var share = (float)(saturation / 255.0);
        var p = Level(value * (1.0 - share));
        var q = Level(value * (1.0 - share * rest));
        var t = Level(value * (1.0 - share * (1.0 - rest)));
        // A hue of 255 is a full turn, with a sixth of 6 and a rest of 0.
        return (sixth % 6) switch
        {
            0 => (value, t, p),
            1 => (q, value, p),
            2 => (p, value, t),
            3 => (p, q, value),
            4 => (t, p, value),
            _ => (value, p, q),
        };
    }

    // C's round, which Pillow calls; the default of Math.Round is half to even.
    private static byte Level(double value) => (byte)Math.Clamp(Math.Round(value, MidpointRounding.AwayFromZero), 0, 255);
}
