using System.Text;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>The encoder of the package set that is built, read back by its decoder.</summary>
public sealed class ImageEncoderTests
{
    private static readonly IImageEncoder Encoder = TestDecoder.CreateEncoder();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(16, 16)]
    [InlineData(17, 31)]
    [InlineData(128, 128)]
    public void EncodeJpeg_AnySize_ComesBack(int width, int height)
    {
        var picture = Gradient(width, height);

        var decoded = Decode(Encoder.EncodeJpeg(picture, 95));

        Assert.Equal((width, height), (decoded.Width, decoded.Height));
        Assert.True(MeanDifference(picture, decoded) < 3);
    }

    [Fact]
    public void EncodeJpeg_RedGreenAndBlue_KeepTheirPlaces()
    {
        var picture = new RgbImage();
        picture.Resize(48, 16);
        picture.Pixels.Clear();
        for (var i = 0; i < 48 * 16; i++)
            picture.Pixels[(3 * i) + (i % 48 / 16)] = 230;

        var decoded = Decode(Encoder.EncodeJpeg(picture, 90));

        Assert.True(MeanDifference(picture, decoded) < 4);
    }

    [Fact]
    public void EncodeJpeg_LowerQuality_IsSmallerAndFurtherOff()
    {
        var picture = Gradient(128, 96);
        var (fine, coarse) = (Encoder.EncodeJpeg(picture, 95), Encoder.EncodeJpeg(picture, 20));

        Assert.True(coarse.Length < fine.Length / 2, $"{coarse.Length} of {fine.Length} bytes");
        Assert.True(MeanDifference(picture, Decode(coarse)) > MeanDifference(picture, Decode(fine)));
    }

    [Fact]
    public void EncodeJpeg_HoldsNoMetadata_AndTheSameBytesEachTime()
    {
        var picture = Gradient(64, 64);

        var encoded = Encoder.EncodeJpeg(picture, 78);

        Assert.Equal(encoded, Encoder.EncodeJpeg(picture, 78));
        foreach (var mark in new[] { "Exif", "ICC_PROFILE", "http", "Photoshop" })
            Assert.Equal(-1, encoded.AsSpan().IndexOf(Encoding.ASCII.GetBytes(mark)));
    }

    [Fact]
    public void EncodeJpeg_OnManyThreads_GivesTheSameBytes()
    {
        var pictures = Enumerable.Range(1, 32).Select(i => Gradient(8 + i, 64 - i)).ToArray();
        var expected = pictures.Select(p => Encoder.EncodeJpeg(p, 78)).ToArray();

        var actual = new byte[pictures.Length][];
        Parallel.For(0, pictures.Length, i => actual[i] = Encoder.EncodeJpeg(pictures[i], 78));

        Assert.Equal(expected, actual);
    }

    private static RgbImage Gradient(int width, int height)
    {
        var picture = new RgbImage();
        picture.Resize(width, height);
        for (var i = 0; i < width * height; i++)
        {
            var (x, y) = (i % width, i / width);
            var pixel = picture.Pixels.Slice(3 * i, 3);
            (pixel[0], pixel[1], pixel[2]) = ((byte)(x * 255 / width), (byte)(y * 255 / height), (byte)(128 + (60 * Math.Sin(x / 9.0))));
        }

        return picture;
    }

    private static RgbImage Decode(byte[] encoded)
    {
        var image = new RgbImage();
        TestDecoder.Create().Decode(encoded, new DecodeOptions(), image);
        return image;
    }

    private static double MeanDifference(RgbImage a, RgbImage b)
    {
        Assert.Equal(a.Pixels.Length, b.Pixels.Length);
        var sum = 0L;
        for (var i = 0; i < a.Pixels.Length; i++)
            sum += Math.Abs(a.Pixels[i] - b.Pixels[i]);
        return (double)sum / a.Pixels.Length;
    }
}
