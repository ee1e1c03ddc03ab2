using TransferPipeline.Images;
using TransferPipeline.Reports.Thumbnails;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests.Reports;

public sealed class JpegEncoderTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(16, 16)]
    [InlineData(17, 31)]
    [InlineData(128, 128)]
    public void Other_decoders_read_what_it_writes(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < width * height; i++)
        {
            var (x, y) = (i % width, i / width);
            (pixels[3 * i], pixels[(3 * i) + 1], pixels[(3 * i) + 2]) = ((byte)(x * 255 / width), (byte)(y * 255 / height), (byte)(128 + (60 * Math.Sin(x / 9.0))));
        }

        var decoded = new RgbImage();
        TestDecoder.Create().Decode(JpegEncoder.Encode(pixels, width, height, quality: 95), new DecodeOptions(), decoded);

        Assert.Equal((width, height), (decoded.Width, decoded.Height));
        Assert.True(MeanDifference(pixels, decoded.Pixels) < 3);
    }

    [Fact]
    public void Noise_at_the_finest_quality_comes_back()
    {
        // Large coefficients in all places: long codes, runs of zeros at the low quality.
        var pixels = new byte[64 * 48 * 3];
        new Random(3).NextBytes(pixels);
        for (var i = 0; i < pixels.Length; i += 3)
            pixels[i + 1] = pixels[i + 2] = pixels[i];
        var decoded = new RgbImage();

        foreach (var (quality, most) in new[] { (100, 1.5), (50, 40), (5, 80) })
        {
            TestDecoder.Create().Decode(JpegEncoder.Encode(pixels, 64, 48, quality), new DecodeOptions(), decoded);
            Assert.True(MeanDifference(pixels, decoded.Pixels) < most, $"quality {quality}: {MeanDifference(pixels, decoded.Pixels)}");
        }
    }

    [Fact]
    public void A_thumbnail_of_a_photo_is_small_and_like_it()
    {
        var photo = Directory.GetFiles(Path.Combine(SharedData.Repository, "samples", "clothing"), "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        var resized = new byte[128 * 128 * 3];
        new Preprocessor(new() { ResizeShortSide = 128, CropWidth = 128, CropHeight = 128 }).RunBytes(TestDecoder.Decode(photo), resized);

        var thumbnail = new ThumbnailMaker(TestDecoder.Create()).Make(File.ReadAllBytes(photo))!;

        Assert.InRange(thumbnail.Length, 1_000, 9_000);
        var decoded = new RgbImage();
        TestDecoder.Create().Decode(thumbnail, new DecodeOptions(), decoded);
        Assert.True(MeanDifference(resized, decoded.Pixels) < 6);
    }

    [Fact]
    public void A_file_that_is_no_photo_has_no_thumbnail() =>
        Assert.Null(new ThumbnailMaker(TestDecoder.Create()).Make("not a photo"u8));

    private static double MeanDifference(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var sum = 0L;
        for (var i = 0; i < a.Length; i++)
            sum += Math.Abs(a[i] - b[i]);
        return (double)sum / a.Length;
    }
}
