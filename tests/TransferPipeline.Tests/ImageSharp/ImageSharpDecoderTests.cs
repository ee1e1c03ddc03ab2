using TransferPipeline.Images;
using TransferPipeline.ImageSharp;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests.ImageSharp;

/// <summary>Where ImageSharp differs from Pillow: how far, and what it refuses.</summary>
public sealed class ImageSharpDecoderTests
{
    /// <summary>A colour difference that is off by one moves blue by 1.77 levels, and a luma that is off by one adds to it.</summary>
    private const int MostLevels = 3;

    private static readonly string Folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Formats");

    [Fact]
    public void Name_HoldsTheVersion() => Assert.Matches(@"^ImageSharp 3\.1\.\d+ with libjpeg's transform$", new ImageSharpDecoder().Name);

    [Theory]
    [InlineData("grey-32-bit.tiff", "TIFF with levels of 32 bits, signed or floating, is not supported")]
    [InlineData("grey-float.tiff", "TIFF with levels of 32 bits, signed or floating, is not supported")]
    [InlineData("bit.tiff", "TIFF of a kind that ImageSharp does not read: The number of samples in the TIFF BitsPerSample entry is not supported.")]
    public void Decode_WhatImageSharpCannotRead_IsRefused(string file, string reason)
    {
        var error = Assert.Throws<ImageDecodeException>(() => TestDecoder.Decode(Path.Combine(Folder, file)));
        Assert.Equal(reason, error.Message);
    }

    public static TheoryData<string> InexactFiles =>
        [.. Directory.GetFiles(Folder).Select(f => Path.GetFileName(f)).Where(f => f.EndsWith(".jpg", StringComparison.Ordinal) || f is "palette.tiff" or "rgb-jpeg.tiff").Order(StringComparer.Ordinal)];

    /// <summary>libvips' pixels are Pillow's to the bit (PhotoFormatTests of the other build).</summary>
    [Theory]
    [MemberData(nameof(InexactFiles))]
    public void Decode_LossyFormats_StaysWithinThreeLevelsOfPillow(string file)
    {
        var encoded = File.ReadAllBytes(Path.Combine(Folder, file));
        foreach (var options in new[] { new DecodeOptions(), new DecodeOptions { ExifTranspose = true } })
            Assert.InRange(Largest(encoded, options), 0, MostLevels);
    }

    /// <summary>Strongly compressed photos (quality of about 70), whose blocks tell their coefficients: with ImageSharp's own transform 2 to 5 % of the levels differ.</summary>
    [Fact]
    public void Decode_StronglyCompressedPhotos_IsPillowsInAllButAFewLevels()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(SharedData.Repository, "samples", "clothing", "validation", "hat"), "*.jpg"))
        {
            var (expected, actual) = Both(File.ReadAllBytes(file), new DecodeOptions());
            var unequal = 0;
            for (var i = 0; i < expected.Pixels.Length; i++)
                unequal += expected.Pixels[i] == actual.Pixels[i] ? 0 : 1;
            Assert.True(unequal < 0.01 * expected.Pixels.Length, $"{file}: {unequal} of {expected.Pixels.Length} levels");
        }
    }

    [Fact]
    public void Decode_ReferencePhotos_StaysWithinThreeLevelsOfPillow()
    {
        var data = SharedData.Require("data");
        foreach (var line in File.ReadLines(SharedData.RequireReference("preprocessing.tsv")).Skip(1))
        {
            var file = line.Split('\t')[0];
            var largest = Largest(File.ReadAllBytes(Path.Combine(data, file)), new DecodeOptions());
            Assert.True(largest <= MostLevels, $"{file}: {largest} levels");
        }
    }

    private static (RgbImage Expected, RgbImage Actual) Both(byte[] encoded, DecodeOptions options)
    {
        var (expected, actual) = (new RgbImage(), new RgbImage());
        new Libvips.LibvipsDecoder().Decode(encoded, options, expected);
        new ImageSharpDecoder().Decode(encoded, options, actual);
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        return (expected, actual);
    }

    private static int Largest(byte[] encoded, DecodeOptions options)
    {
        var (expected, actual) = Both(encoded, options);
        var largest = 0;
        for (var i = 0; i < expected.Pixels.Length; i++)
            largest = Math.Max(largest, Math.Abs(expected.Pixels[i] - actual.Pixels[i]));
        return largest;
    }
}
