using System.Numerics.Tensors;
using TransferPipeline.Backbones;
using TransferPipeline.Images;
using TransferPipeline.ImageSharp;
using TransferPipeline.Inference;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests.ImageSharp;

/// <summary>Where ImageSharp 2.1.13 differs from Pillow: how far, and what it refuses. The figures are those of docs/packages.md.</summary>
public sealed class ImageSharpDecoderTests
{
    /// <summary>
    /// Of the 108 reference photos: largest difference of a level, and smallest cosine of the default backbone's features.
    /// </summary>
    private const int MostLevels = 64;

    private const double LeastCosine = 0.994;

    /// <summary>
    /// Chroma is not smoothed between its samples as libjpeg does, so files with halved chroma differ most: noise in full colour by this
    /// much.
    /// </summary>
    private const int MostLevelsOfNoise = 99;

    private static readonly string Folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Formats");

    private static readonly string Cases = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Cases");

    private static readonly ImageSharpDecoder Decoder = new();

    [Fact]
    public void Name_IsARecipeOfItsOwn() => Assert.Equal(("imagesharp 2.1.13", "ImageSharp 2.1.13"), (Decoder.Name, Decoder.Libraries));

    [Theory]
    [InlineData("grey-32-bit.tiff", "TIFF with levels of 32 bits, signed or floating, is not supported")]
    [InlineData("grey-float.tiff", "TIFF with levels of 32 bits, signed or floating, is not supported")]
    [InlineData("bit.tiff", "TIFF with levels of 1 bit is not supported by ImageSharp")]
    [InlineData("bit-group4.tiff", "TIFF with levels of 1 bit is not supported by ImageSharp")]
    [InlineData(
        "cmyk.tiff",
        "TIFF of a kind that ImageSharp does not read: The specified TIFF photometric interpretation is not supported: Separated"
    )]
    [InlineData(
        "rgb-adobe-untransformed.jpg",
        "JPEG whose headers contradict each other on its colours (JFIF, Adobe, component names) is not supported by ImageSharp"
    )]
    public void Decode_WhatImageSharpReadsWrongOrNotAtAll_IsRefused(string file, string reason)
    {
        var error = Assert.Throws<ImageDecodeException>(() => TestDecoder.Decode(Path.Combine(Folder, file), decoder: Decoder));
        Assert.Equal(reason, error.Message);
    }

    /// <summary>Of these ImageSharp makes other pictures than libjpeg or libtiff, without an error.</summary>
    [Theory]
    [InlineData("scans-names-other.jpg", "on its colours")]
    [InlineData("scans-two-of-three.jpg", "scans of some of its colours together")]
    [InlineData("scans-one-and-two.jpg", "scans of some of its colours together")]
    [InlineData("scans-progressive-restarts.jpg", "progressive with restart markers")]
    [InlineData("rgba-premultiplied.tif", "TIFF with premultiplied alpha is not supported by ImageSharp")]
    [InlineData("planes-differences.tif", "differences of levels (predictor 2) in separate planes")]
    [InlineData("jpeg-grey.tif", "TIFF in JPEG of other than three channels")]
    [InlineData("jpeg-other-colours.tif", "TIFF with JPEG in other colours than its tags state")]
    public void Decode_PhotoThatImageSharpMisreads_IsRefused(string file, string reason)
    {
        var error = Assert.Throws<ImageDecodeException>(() => TestDecoder.Decode(Path.Combine(Cases, file), decoder: Decoder));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_TiffOfJpegInTheColoursOfItsTags_IsRead() =>
        Assert.InRange(Largest(File.ReadAllBytes(Path.Combine(Cases, "jpeg-colours.tif")), new DecodeOptions()), 0, 2);

    [Theory]
    [InlineData("palette-98-bytes.png")]
    [InlineData("palette-1-bytes.png")]
    public void Decode_PaletteOfAPartOfAColour_IsAsInPillow(string file)
    {
        var expected = TestDecoder.Decode(Path.Combine(Cases, file));
        Assert.Equal(expected.Pixels.ToArray(), TestDecoder.Decode(Path.Combine(Cases, file), decoder: Decoder).Pixels.ToArray());
    }

    public static TheoryData<string, int> Files
    {
        get
        {
            var rows = new TheoryData<string, int>();
            foreach (var file in Directory.GetFiles(Folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal))
            {
                var isHalved =
                    file.StartsWith("exif-", StringComparison.Ordinal)
                    || file is "icc.jpg" or "rgb-420.jpg" or "rgb-422.jpg" or "rgb-optimized.jpg" or "rgb-progressive.jpg" or "rgb-q30.jpg";
                var isInexact = file.EndsWith(".jpg", StringComparison.Ordinal) || file is "palette.tiff" or "rgb-jpeg.tiff";
                if (
                    Path.GetExtension(file) is not (".py" or ".md" or ".tsv")
                    && file
                        is not (
                            "grey-32-bit.tiff"
                            or "grey-float.tiff"
                            or "bit.tiff"
                            or "bit-group4.tiff"
                            or "cmyk.tiff"
                            or "rgb-adobe-untransformed.jpg"
                        )
                )
                    rows.Add(
                        file,
                        isHalved ? MostLevelsOfNoise
                            : isInexact ? 2
                            : 0
                    );
            }

            return rows;
        }
    }

    /// <summary>Lossless formats are Pillow's to the bit; JPEG without halved chroma is within 2 levels.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Decode_EveryFormat_StaysWithinItsLevels(string file, int most)
    {
        var encoded = File.ReadAllBytes(Path.Combine(Folder, file));
        foreach (
            var options in new[]
            {
                new DecodeOptions(),
                new DecodeOptions { ExifTranspose = true },
            }
        )
            Assert.InRange(Largest(encoded, options), 0, most);
    }

    [Fact]
    public void Decode_ReferencePhotos_StaysWithinTheLevelsAndFeaturesOfTheDocumentation()
    {
        var data = SharedData.Require("data");
        var cut = Backbone.Open(SharedData.RequireModel("efficientnet-lite0.onnx")).Cut();
        using var session = SessionFactory.Create(cut, new());
        using var runner = new BackboneRunner(session, cut, 1);
        var preprocessor = new Preprocessor(
            new Preprocessing
            {
                ResizeShortSide = 256,
                CropWidth = 224,
                CropHeight = 224,
                Interpolation = Interpolation.Bicubic,
                Offset = 127,
                Divisor = 128,
            }
        );
        foreach (var line in File.ReadLines(SharedData.RequireReference("preprocessing.tsv")).Skip(1))
        {
            var file = line.Split('\t')[0];
            var (expected, actual) = Both(File.ReadAllBytes(Path.Combine(data, file)), new DecodeOptions());
            var largest = Largest(expected, actual);
            Assert.True(largest <= MostLevels, $"{file}: {largest} levels");
            var cosine = TensorPrimitives.CosineSimilarity<float>(Vector(expected), Vector(actual));
            Assert.True(cosine >= LeastCosine, $"{file}: cosine {cosine}");
        }

        float[] Vector(RgbImage photo)
        {
            preprocessor.Run(photo, runner.Pixels(0), cut.Layout);
            runner.Run();
            return runner.Vectors(0).Row(0).ToArray();
        }
    }

    [Fact]
    public void Decode_CutPhoto_IsRefused()
    {
        var whole = File.ReadAllBytes(Path.Combine(Folder, "rgb-420.jpg"));
        var error = Assert.Throws<ImageDecodeException>(() =>
            Decoder.Decode(whole.AsSpan(0, whole.Length / 2), new DecodeOptions(), new RgbImage())
        );
        Assert.Equal("truncated JPEG: it ends before its pixels do", error.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Decode_FillBytesBehindTheFirstMarker_AreNoDamage(int count)
    {
        var whole = File.ReadAllBytes(Path.Combine(Folder, "rgb-444.jpg"));
        byte[] filled = [.. whole[..2], .. Enumerable.Repeat((byte)0xFF, count), .. whole[2..20], 0xFF, .. whole[20..]];
        var (expected, actual) = (new RgbImage(), new RgbImage());
        Decoder.Decode(whole, new DecodeOptions(), expected);
        Decoder.Decode(filled, new DecodeOptions(), actual);
        Assert.Equal(expected.Pixels, actual.Pixels);
        Assert.InRange(Largest(filled, new DecodeOptions()), 0, 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Decode_NarrowInterlacedPng_IsRefusedWhereImageSharpNeverEnds(int width)
    {
        var file = Path.Combine(Folder, "..", "Cases", $"interlaced-{width}.png");
        var error = await Assert
            .ThrowsAsync<ImageDecodeException>(() => Task.Run(() => TestDecoder.Decode(file, decoder: Decoder)))
            .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal("interlaced PNG narrower than 5 pixels is not supported by ImageSharp", error.Message);
    }

    [Fact]
    public void Decode_InterlacedPngOfFivePixels_IsRead() =>
        Assert.Equal(0, Largest(File.ReadAllBytes(Path.Combine(Folder, "..", "Cases", "interlaced-5.png")), new DecodeOptions()));

    [Fact]
    public void Decode_WholePhotoWithADamagedHeader_IsNotCalledTruncated()
    {
        var whole = File.ReadAllBytes(Path.Combine(Folder, "rgb-444.jpg"));
        byte[] twice = [.. whole[..2], .. whole];
        foreach (var decoder in (IImageDecoder[])[Decoder, TestDecoder.Create()])
        {
            var error = Assert.Throws<ImageDecodeException>(() => decoder.Decode(twice, new DecodeOptions(), new RgbImage()));
            Assert.Equal("damaged JPEG: its header cannot be read", error.Message);
        }
    }

    private static (RgbImage Expected, RgbImage Actual) Both(byte[] encoded, DecodeOptions options)
    {
        var (expected, actual) = (new RgbImage(), new RgbImage());
        TestDecoder.Create().Decode(encoded, options, expected);
        Decoder.Decode(encoded, options, actual);
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        return (expected, actual);
    }

    private static int Largest(byte[] encoded, DecodeOptions options)
    {
        var (expected, actual) = Both(encoded, options);
        return Largest(expected, actual);
    }

    private static int Largest(RgbImage expected, RgbImage actual)
    {
        var largest = 0;
        for (var i = 0; i < expected.Pixels.Length; i++)
            largest = Math.Max(largest, Math.Abs(expected.Pixels[i] - actual.Pixels[i]));
        return largest;
    }
}
