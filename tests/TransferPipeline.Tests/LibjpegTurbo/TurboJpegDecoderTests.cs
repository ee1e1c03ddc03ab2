using TransferPipeline.Images;
using TransferPipeline.LibjpegTurbo;
using static TransferPipeline.Tests.LibjpegTurbo.TwoDecoders;

namespace TransferPipeline.Tests.LibjpegTurbo;

/// <summary>libjpeg-turbo before libvips changes nothing but the time: the same pixels, verdicts and reasons as libvips alone.</summary>
public sealed class TurboJpegDecoderTests
{
#if DEBUG
    private const int EveryNth = 40,
        Changes = 30,
        Step = 41;
#else
    private const int EveryNth = 4,
        Changes = 150,
        Step = 5;
#endif

    public TurboJpegDecoderTests() => Assert.SkipWhen(TurboJpegDecoder.Problem is not null, $"libjpeg-turbo: {TurboJpegDecoder.Problem}");

    public static TheoryData<string> PlainKinds => [.. JpegKinds.Plain.Keys];

    public static TheoryData<string> OtherKinds => [.. JpegKinds.Other.Keys];

    public static TheoryData<string> AllKinds => [.. JpegKinds.Plain.Keys, .. JpegKinds.Other.Keys];

    [Fact]
    public void Name_HoldsBothVersions()
    {
        Assert.Matches(@"^libjpeg-turbo 3\.\d+\.\d+$", Turbo.Name);
        Assert.Matches(@"^libvips 8\.\d+\.\d+$", Alone.Libraries);
        Assert.Equal($"{Alone.Libraries}, {Turbo.Name}", Both.Libraries);
        Assert.Equal(("pillow 1", "pillow 1"), (Alone.Name, Both.Name));
    }

    [Fact]
    public void Version_OfAnotherFile_IsNotInvented()
    {
        Assert.Equal("3.1.2", TurboVersion.In("\0\0libjpeg-turbo version 3.1.2 (build 1)\0"u8));
        Assert.Null(TurboVersion.In("libjpeg 6b"u8));
        Assert.Null(TurboVersion.In("libjpeg-turbo version %s"u8));
    }

    [Theory]
    [MemberData(nameof(PlainKinds))]
    public void Decode_EveryPlainKindAndAwkwardSize_IsTheSameAsByLibvips(string kind)
    {
        foreach (
            var (width, height) in ((int, int)[])
                [(123, 97), (1, 1), (1, 50), (50, 1), (2, 3), (7, 9), (8, 8), (15, 17), (16, 16), (33, 31), (300, 200)]
        )
        {
            var encoded = JpegKinds.Of(kind).Write(JpegKinds.Picture(width, height));
            var image = new RgbImage();
            Assert.True(Turbo.TryDecode(encoded, new DecodeOptions(), image));
            Assert.Equal(Result(Alone, encoded), Text(image));
        }
    }

    [Theory]
    [MemberData(nameof(OtherKinds))]
    public void Decode_OtherKinds_IsLeftToLibvips(string kind)
    {
        var encoded = JpegKinds.Of(kind).Write(JpegKinds.Picture(61, 43));
        Assert.False(Turbo.TryDecode(encoded, new DecodeOptions(), new RgbImage()));
        Assert.Equal(Result(Alone, encoded), Result(Both, encoded));
    }

    [Fact]
    public void Decode_OverTheLimits_IsRefusedAsByLibvips()
    {
        var encoded = JpegKinds.Plain["4:2:0"].Write(JpegKinds.Picture(100, 80));
        foreach (
            var options in new[]
            {
                new DecodeOptions { MaxPixels = 7999 },
                new DecodeOptions { MaxBytes = 100 },
            }
        )
        {
            Assert.Equal(Result(Alone, encoded, options), Result(Both, encoded, options));
            Assert.Contains("limit", Result(Both, encoded, options), StringComparison.Ordinal);
        }

        Assert.False(Turbo.TryDecode(encoded, new DecodeOptions { MaxPixels = 7999 }, new RgbImage()));
    }

    [Fact]
    public void Decode_EverySharedPhoto_IsTheSameAsByLibvips()
    {
        var files = Directory
            .EnumerateFiles(SharedData.Require("data"), "*.jpg", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .ToArray();
        Assert.True(files.Length > 3000);
        var turbo = 0;
        Parallel.For(
            0,
            files.Length / EveryNth,
            i =>
            {
                var encoded = File.ReadAllBytes(files[i * EveryNth]);
                var (expected, actual) = (new RgbImage(), new RgbImage());
                Alone.Decode(encoded, new DecodeOptions(), expected);
                if (Turbo.TryDecode(encoded, new DecodeOptions(), actual))
                    Interlocked.Increment(ref turbo);
                else
                    Both.Decode(encoded, new DecodeOptions(), actual);
                Assert.True(
                    (expected.Width, expected.Height) == (actual.Width, actual.Height) && expected.Pixels.SequenceEqual(actual.Pixels),
                    files[i * EveryNth]
                );
            }
        );

        // One of them is in CMYK.
        Assert.InRange(turbo, files.Length / EveryNth - 1, files.Length);
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public void Decode_CutAtManyLengths_EndsAsByLibvips(string kind)
    {
        var whole = JpegKinds.Of(kind).Write(JpegKinds.Picture(45, 37));
        for (var length = 3; length <= whole.Length; length += Step)
        {
            var cut = whole.AsSpan(0, length).ToArray();
            AssertSame(cut, $"{length} of {whole.Length} bytes");
        }
    }

    /// <summary>An end marker after a cut makes the file whole for libjpeg's reader, which fills what is missing.</summary>
    [Theory]
    [MemberData(nameof(AllKinds))]
    public void Decode_CutAndEnded_EndsAsByLibvips(string kind)
    {
        var whole = JpegKinds.Of(kind).Write(JpegKinds.Picture(45, 37));
        for (var length = 3; length <= whole.Length - 2; length += Step)
            AssertSame([.. whole.AsSpan(0, length), 0xFF, 0xD9], $"{length} of {whole.Length} bytes");
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public void Decode_WithChangedBytes_EndsAsByLibvips(string kind)
    {
        var whole = JpegKinds.Of(kind).Write(JpegKinds.Picture(77, 60));
        var random = new Random(20261122);
        for (var i = 0; i < Changes; i++)
            AssertSame(Damage.Changed(whole, random), $"change {i}");
    }

    [Fact]
    public void Decode_WithExifTranspose_TurnsAsLibvipsDoes()
    {
        var folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Formats");
        var options = new DecodeOptions { ExifTranspose = true };
        foreach (var file in Directory.GetFiles(folder, "*.jpg"))
            Assert.Equal(Result(Alone, File.ReadAllBytes(file), options), Result(Both, File.ReadAllBytes(file), options));
    }

    [Fact]
    public void Decode_OnManyThreads_GivesTheSamePixelsAndReasons()
    {
        var inputs = JpegKinds.Plain.Concat(JpegKinds.Other).Select(k => k.Value.Write(JpegKinds.Picture(120, 90))).ToArray();
        inputs = [.. inputs, .. inputs.Select(e => e[..(e.Length / 2)])];
        var expected = inputs.Select(e => Result(Alone, e)).ToArray();
        Parallel.For(
            0,
            inputs.Length * 20,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            i => Assert.Equal(expected[i % inputs.Length], Result(Both, inputs[i % inputs.Length]))
        );
    }
}
