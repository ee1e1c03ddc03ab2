using TransferPipeline.Images;
using TransferPipeline.LibjpegTurbo;
using static TransferPipeline.Tests.LibjpegTurbo.TwoDecoders;

namespace TransferPipeline.Tests.LibjpegTurbo;

/// <summary>A photo of which only a part is decoded: the part's pixels are the whole photo's, and damage is found wherever it is.</summary>
public sealed class RegionTests
{
#if DEBUG
    private const int Boxes = 20,
        Changes = 30,
        Step = 41;
#else
    private const int Boxes = 150,
        Changes = 150,
        Step = 5;
#endif

    /// <summary>Its writer makes the files of each kind.</summary>
    public RegionTests() => Assert.SkipWhen(TurboJpegDecoder.Problem is not null, $"libjpeg-turbo: {TurboJpegDecoder.Problem}");

    public static TheoryData<string> PlainKinds => [.. JpegKinds.Plain.Keys];

    public static TheoryData<string> AllKinds => [.. JpegKinds.Plain.Keys, .. JpegKinds.Other.Keys];

    [Theory]
    [MemberData(nameof(PlainKinds))]
    public void Decode_AnyBoxOfAnyPlainKind_IsThatPartOfTheWhole(string kind)
    {
        var random = new Random(7);
        foreach (var (width, height) in ((int, int)[])[(171, 133), (64, 64), (19, 300), (301, 18), (5, 7)])
        {
            var encoded = JpegKinds.Of(kind).Write(JpegKinds.Picture(width, height));
            var (whole, part) = (new RgbImage(), new RgbImage());
            Alone.Decode(encoded, new DecodeOptions(), whole);
            for (var i = 0; i < Boxes; i++)
            {
                var (x, y) = (random.Next(width), random.Next(height));
                var box = new FixedBox(new(x, y, random.Next(1, width - x + 1), random.Next(1, height - y + 1)));
                foreach (var decoder in Available)
                {
                    part.Resize(width, height);
                    part.Pixels.Fill(77);
                    decoder.Decode(encoded, new DecodeOptions(), part, box);
                    Assert.True(Text(whole, box) == Text(part, box), $"{box.Box} of {width} x {height} by {decoder.Libraries}");
                }
            }
        }
    }

    [Fact]
    public void Decode_APart_LeavesTheOtherRowsAlone()
    {
        var encoded = JpegKinds.Plain["4:2:0"].Write(JpegKinds.Picture(400, 300));
        var part = new RgbImage();
        part.Resize(400, 300);
        part.Pixels.Fill(77);
        Assert.True(Turbo.TryDecode(encoded, new DecodeOptions(), part, new FixedBox(new(200, 100, 50, 60))));
        Assert.False(part.Pixels[..(400 * 3 * 100)].ContainsAnyExcept((byte)77));
        Assert.False(part.Pixels[(400 * 3 * 160)..].ContainsAnyExcept((byte)77));
        Assert.False(part.Row(130)[..(192 * 3 - 16 * 3)].ContainsAnyExcept((byte)77));
        Assert.False(part.Row(130)[(252 * 3)..].ContainsAnyExcept((byte)77));
    }

    /// <summary>Below a part's last row libjpeg-turbo stops reading, so a cut there has to be found in another way.</summary>
    [Theory]
    [MemberData(nameof(AllKinds))]
    public void Decode_CutAtManyLengths_EndsAsByLibvips(string kind)
    {
        var whole = JpegKinds.Of(kind).Write(JpegKinds.Picture(64, 50));
        for (var length = 3; length <= whole.Length; length += Step)
        {
            AssertSame(whole.AsSpan(0, length).ToArray(), $"{length} of {whole.Length} bytes", Top);
            AssertSame([.. whole.AsSpan(0, length), 0xFF, 0xD9], $"{length} of {whole.Length} bytes, ended", Top);
        }
    }

    /// <summary>The thumbnail in a photo's EXIF segment has an end marker of its own.</summary>
    [Fact]
    public void Decode_CutAfterAThumbnail_IsTruncated()
    {
        var thumbnail = JpegKinds.Plain["4:2:0"].Write(JpegKinds.Picture(32, 24));
        var photo = JpegKinds.Plain["4:2:0"].Write(JpegKinds.Picture(200, 200));
        byte[] segment = [0xFF, 0xE1, (byte)((thumbnail.Length + 2) >> 8), (byte)(thumbnail.Length + 2), .. thumbnail];
        byte[] encoded = [.. photo.AsSpan(0, 2), .. segment, .. photo.AsSpan(2)];
        AssertSame(encoded, "whole", Top);
        foreach (var decoder in Available)
        {
            Assert.StartsWith("200 x 200", Result(decoder, encoded, region: Top), StringComparison.Ordinal);
            Assert.StartsWith("damaged JPEG", Result(decoder, encoded[..^100], region: Top), StringComparison.Ordinal);
        }

        AssertSame(encoded[..^100], "cut", Top);
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public void Decode_WithChangedBytes_EndsAsByLibvips(string kind)
    {
        var whole = JpegKinds.Of(kind).Write(JpegKinds.Picture(77, 60));
        var random = new Random(20261123);
        for (var i = 0; i < Changes; i++)
            AssertSame(Damage.Changed(whole, random), $"change {i}", i % 2 == 0 ? Top : Middle);
    }

    private static readonly Parts Top = new(0, 0.4),
        Middle = new(0.3, 0.7);

    [Fact]
    public void JpegEnd_InOtherFiles_IsNotFound()
    {
        Assert.Equal(JpegEnd.Unknown, JpegScan.End([], out _));
        Assert.Equal(JpegEnd.Unknown, JpegScan.End([0xFF, 0xD8, 0xFF, 0xD9], out _));
        Assert.Equal(JpegEnd.Unknown, JpegScan.End([0xFF, 0xD8, 0xFF, 0xDA, 0, 200, 0xFF, 0xD9], out _));
        Assert.Equal(JpegEnd.Unknown, JpegScan.End([0xFF, 0xD8, 0xFF, 0xDA, 0, 2, 1, 2, 3, 0xFF, 0xD9, 0], out _));
    }

    private sealed record FixedBox(PixelBox Box) : IPhotoRegion
    {
        public PixelBox Region(int width, int height) => Box;
    }

    /// <summary>The middle across, and these shares of the height down.</summary>
    private sealed record Parts(double From, double To) : IPhotoRegion
    {
        public PixelBox Region(int width, int height)
        {
            var (left, top) = (width / 4, (int)(height * From));
            return new(left, top, Math.Max(1, width / 2), Math.Max(1, (int)(height * To) - top));
        }
    }
}
