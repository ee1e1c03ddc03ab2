using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>Files that are cut, changed, or no photos at all give pixels or a one-line reason, never a crash.</summary>
public sealed class DamagedPhotoTests
{
    private static readonly string Folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Formats");

#if DEBUG
    private const int ChangesPerFile = 40;
#else
    private const int ChangesPerFile = 400;
#endif

    public static TheoryData<string> Files =>
        [
            "rgb-420.jpg",
            "rgb-progressive.jpg",
            "cmyk-adobe.jpg",
            "exif-6.jpg",
            "rgb.png",
            "rgb-interlaced.png",
            "palette.png",
            "grey-16-bit.png",
            "interlaced.gif",
            "small-frame.gif",
            "lossy.webp",
            "lossless-alpha.webp",
            "rgb-tiff_lzw.tiff",
            "grey.tiff",
            "rgb.bmp",
            "palette.bmp",
            "rle8.bmp",
            "rle4.bmp",
            "565.bmp",
            "binary.ppm",
            "text.ppm",
            "text.pbm",
            "binary-1000.pgm",
        ];

    /// <summary>Where JPEG in a TIFF has fewer rows than its strip, Pillow's other rows hold what the memory held before.</summary>
    [Fact]
    public void Decode_TiffWithTooFewRowsOfJpeg_IsRefused()
    {
        const int LowByteOfHeight = 16;
        var encoded = File.ReadAllBytes(Path.Combine(Folder, "..", "Cases", "jpeg-whole.tif"));
        Assert.Equal(17, encoded[LowByteOfHeight]);
        encoded[LowByteOfHeight] = 11;
        foreach (var libraries in TestDecoder.Pillow)
            Assert.Equal("damaged TIFF: its JPEG data are damaged", Reason(TestDecoder.Of(libraries), encoded));
    }

    /// <summary>Some writers fill the last strip up with rows below the picture.</summary>
    [Fact]
    public void Decode_TiffWithMoreRowsOfJpegThanItsHeight_IsRead()
    {
        const int Rows = 13;
        var encoded = File.ReadAllBytes(Path.Combine(Folder, "..", "Cases", "jpeg-whole.tif"));
        var (whole, shorter) = (new RgbImage(), new RgbImage());
        Assert.Null(Reason(TestDecoder.Create(), encoded, whole));
        foreach (var tag in new[] { TiffTags.Height, TiffTags.RowsPerStrip })
            encoded[TiffTags.Place(encoded, tag)!.Value] = Rows;
        Assert.Null(Reason(TestDecoder.Create(), encoded, shorter));
        Assert.Equal(Rows, shorter.Height);
        Assert.Equal(whole.Pixels[..shorter.Pixels.Length], shorter.Pixels);
    }

    /// <summary>Pillow unpacks the pixels of an animated PNG into the place of its first frame.</summary>
    [Theory]
    [InlineData(0, 0, 0, null)]
    [InlineData(-1, 0, 0, "damaged PNG: the first frame of its animation is not the whole picture")]
    [InlineData(0, -1, 0, "damaged PNG: the first frame of its animation is not the whole picture")]
    [InlineData(0, 0, 1, "damaged PNG: the first frame of its animation is not the whole picture")]
    public void Decode_PngWithAFirstFrame_IsReadWhereThatIsTheWholePicture(int wider, int higher, int left, string? reason)
    {
        var whole = File.ReadAllBytes(Path.Combine(Folder, "rgb.png"));
        var frame = new byte[26];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), BinaryPrimitives.ReadInt32BigEndian(whole.AsSpan(16)) + wider);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(8), BinaryPrimitives.ReadInt32BigEndian(whole.AsSpan(20)) + higher);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(12), left);
        var at = Place(whole, "IDAT");
        byte[] encoded = [.. whole[..at], .. Chunk("acTL", [0, 0, 0, 1, 0, 0, 0, 0]), .. Chunk("fcTL", frame), .. whole[at..]];
        var (plain, animated) = (new RgbImage(), new RgbImage());
        Assert.Null(Reason(TestDecoder.Create(), whole, plain));
        Assert.Equal(reason, Reason(TestDecoder.Create(), encoded, animated));
        if (reason is null)
            Assert.Equal(plain.Pixels, animated.Pixels);
    }

    /// <summary>Pillow reads what these chunks state, before and behind the pixels, and refuses the file.</summary>
    [Theory]
    [InlineData("gAMA", 1)]
    [InlineData("pHYs", 8)]
    [InlineData("sRGB", 0)]
    [InlineData("acTL", 7)]
    [InlineData("cHRM", 3)]
    [InlineData("tRNS", 5)]
    [InlineData("fdAT", 8)]
    public void Decode_PngWithAChunkThatIsTooShort_IsRefused(string name, int length)
    {
        var whole = File.ReadAllBytes(Path.Combine(Folder, "rgb.png"));
        foreach (var at in new[] { Place(whole, "IDAT"), Place(whole, "IEND") })
        {
            byte[] encoded = [.. whole[..at], .. Chunk(name, new byte[length]), .. whole[at..]];
            Assert.StartsWith($"damaged PNG: its chunk {name} ", Reason(TestDecoder.Create(), encoded, new RgbImage()));
        }
    }

    [Theory]
    [InlineData("gAMA", 4)]
    [InlineData("cHRM", 4)]
    [InlineData("tRNS", 6)]
    [InlineData("bKGD", 1)]
    [InlineData("zTXt", 3)]
    public void Decode_PngWithAChunkOfTheLeastLength_IsRead(string name, int length)
    {
        var whole = File.ReadAllBytes(Path.Combine(Folder, "rgb.png"));
        var at = Place(whole, "IDAT");
        byte[] encoded = [.. whole[..at], .. Chunk(name, new byte[length]), .. whole[at..]];
        Assert.Null(Reason(TestDecoder.Create(), encoded, new RgbImage()));
    }

    /// <summary>Where a chunk begins, with its length.</summary>
    private static int Place(byte[] png, string name) => png.AsSpan().IndexOf(Encoding.ASCII.GetBytes(name)) - 4;

    [Theory]
    [MemberData(nameof(Files))]
    public void Decode_cut_at_every_length_fails_with_a_reason_or_gives_all_pixels(string file)
    {
        var whole = File.ReadAllBytes(Path.Combine(Folder, file));
        var decoder = TestDecoder.Create();
        var expected = new RgbImage();
        decoder.Decode(whole, new DecodeOptions(), expected);
        var image = new RgbImage();
        var failures = 0;
        for (var length = 0; length < whole.Length; length++)
        {
            // A copy of its own, so that reading past the end is reading foreign memory.
            var reason = Reason(decoder, whole.AsSpan(0, length).ToArray(), image);
            failures += reason is null ? 0 : 1;
            if (reason is null && length < whole.Length * 2 / 3)
                Assert.Fail($"{length} of {whole.Length} bytes of {file} were taken for a whole photo");
            if (reason is null && !file.EndsWith(".pbm", StringComparison.Ordinal) && !file.StartsWith("text", StringComparison.Ordinal))
                Assert.True(
                    image.Pixels.SequenceEqual(expected.Pixels),
                    $"{length} of {whole.Length} bytes gave other pixels without a reason"
                );
        }

        Assert.InRange(failures, whole.Length * 2 / 3, whole.Length);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Decode_with_changed_bytes_fails_with_a_reason_or_gives_pixels(string file)
    {
        var whole = File.ReadAllBytes(Path.Combine(Folder, file));
        var decoder = TestDecoder.Create();
        var random = new Random(20260101);
        var image = new RgbImage();
        var options = new DecodeOptions { MaxPixels = 1 << 20 };
        for (var i = 0; i < ChangesPerFile; i++)
        {
            var changed = whole.ToArray();
            for (var n = random.Next(1, 4); n > 0; n--)
                changed[random.Next(random.Next(2) == 0 ? Math.Min(changed.Length, 64) : changed.Length)] = (byte)random.Next(256);
            var reason = Reason(decoder, changed, image, options);
            if (reason is null)
                Assert.InRange(image.Width * image.Height, 1, 1 << 20);
        }
    }

    [Fact]
    public void Decode_of_what_is_no_photo_names_what_was_found()
    {
        var decoder = TestDecoder.Create();
        Assert.Equal("empty file", Reason(decoder, []));
        Assert.Equal(
            "a web page, not an image: the download gave a page (an error or a login?) in its place",
            Reason(decoder, "<!DOCTYPE html><p>not found"u8.ToArray())
        );
        Assert.Equal("a zip archive, not an image: unpack it (starts with 504B03041400)", Reason(decoder, [0x50, 0x4B, 3, 4, 20, 0, 0, 0]));
        Assert.Equal("damaged JPEG: its header cannot be read", Reason(decoder, [0xFF, 0xD8, 0xFF, 0xD9]));
        Assert.StartsWith("truncated JPEG: ", Reason(decoder, [0xFF, 0xD8, 0xFF, 0xE0, 0]));
    }

    [Fact]
    public void Decode_of_half_a_real_photo_says_that_it_is_truncated()
    {
        var folder = Path.Combine(SharedData.RequireHymenoptera(), "val", "ants");
        var decoder = TestDecoder.Create();
        foreach (var file in Directory.GetFiles(folder).Order(StringComparer.Ordinal).Take(10))
        {
            var whole = File.ReadAllBytes(file);
            Assert.StartsWith("truncated JPEG: ", Reason(decoder, whole.AsSpan(0, whole.Length / 2).ToArray()));
        }
    }

    [Fact]
    public void Decode_over_the_limits_fails_before_the_pixels()
    {
        var decoder = TestDecoder.Create();
        var photo = File.ReadAllBytes(Path.Combine(Folder, "rgb.png"));
        Assert.Equal("37 x 29 pixels; the limit is 1000", Reason(decoder, photo, options: new DecodeOptions { MaxPixels = 1000 }));
        Assert.Null(Reason(decoder, photo, options: new DecodeOptions { MaxPixels = 37 * 29, MaxBytes = photo.Length }));
        Assert.Equal($"{photo.Length} bytes; the limit is 100", Reason(decoder, photo, options: new DecodeOptions { MaxBytes = 100 }));

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("30000 x 30000 pixels; the limit is 178956970", Reason(decoder, Bomb(30000, 30000)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Decode_on_many_threads_gives_the_same_pixels_and_reasons()
    {
        var decoder = TestDecoder.Create();
        var photos = Files.Select(f => File.ReadAllBytes(Path.Combine(Folder, (string)f.Data))).ToArray();
        var inputs = photos.Concat(photos.Select(p => p[..(p.Length / 2)])).ToArray();
        var expected = inputs.Select(p => Result(decoder, p)).ToArray();
        Parallel.For(
            0,
            inputs.Length * 8,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            i => Assert.Equal(expected[i % inputs.Length], Result(decoder, inputs[i % inputs.Length]))
        );
    }

    private static string Result(IImageDecoder decoder, byte[] encoded)
    {
        var image = new RgbImage();
        return Reason(decoder, encoded, image) ?? Convert.ToHexString(image.Pixels);
    }

    private static string? Reason(IImageDecoder decoder, byte[] encoded, RgbImage? image = null, DecodeOptions? options = null)
    {
        try
        {
            decoder.Decode(encoded, options ?? new DecodeOptions(), image ?? new RgbImage());
            return null;
        }
        catch (ImageDecodeException e)
        {
            Assert.NotEmpty(e.Message);
            Assert.DoesNotContain('\n', e.Message);
            return e.Message;
        }
    }

    /// <summary>A PNG of a few hundred bytes whose header announces width x height.</summary>
    private static byte[] Bomb(int width, int height)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
            zlib.Write(new byte[100_000]);
        byte[] header = [.. BigEndian((uint)width), .. BigEndian((uint)height), 1, 0, 0, 0, 0];
        return [0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n', .. Chunk("IHDR", header), .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string tag, byte[] data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(tag), .. data];
        var crc = uint.MaxValue;
        foreach (var value in body)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }

        return [.. BigEndian((uint)data.Length), .. body, .. BigEndian(~crc)];
    }

    private static byte[] BigEndian(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
}
