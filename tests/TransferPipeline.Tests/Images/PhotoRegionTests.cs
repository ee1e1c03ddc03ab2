using TransferPipeline.Images;
using TransferPipeline.Tests.Cli;
using TransferPipeline.Tests.LibjpegTurbo;
using static TransferPipeline.Tests.LibjpegTurbo.TwoDecoders;

namespace TransferPipeline.Tests.Images;

/// <summary>Parts of real photos, by every decoder that is there: by libvips alone where there is no libjpeg-turbo.</summary>
public sealed class PhotoRegionTests
{
#if DEBUG
    private const int Changes = 20,
        EveryNth = 100;
#else
    private const int Changes = 150,
        EveryNth = 16;
#endif

    private static readonly string[] Samples =
    [
        .. Directory.EnumerateFiles(SamplePhotos.Folder, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal),
    ];

    /// <summary>
    /// What users ask for, and what is hard: hardly any resize, enlarging, no resize, a crop beyond the photo, one pixel.
    /// </summary>
    private static readonly Preprocessing[] Steps =
    [
        Preprocessing.ImageNet(),
        Preprocessing.ImageNet(interpolation: Interpolation.Bicubic),
        new()
        {
            ResizeShortSide = 320,
            CropWidth = 300,
            CropHeight = 300,
            Interpolation = Interpolation.Bicubic,
        },
        new() { ResizeWidth = 299, ResizeHeight = 299 },
        new()
        {
            ResizeWidth = 300,
            ResizeHeight = 200,
            CropWidth = 100,
            CropHeight = 190,
            Interpolation = Interpolation.Lanczos,
        },
        new() { CropWidth = 224, CropHeight = 224 },
        new() { CropWidth = 1001, CropHeight = 33 },
        new()
        {
            ResizeShortSide = 64,
            CropWidth = 1,
            CropHeight = 1,
            Interpolation = Interpolation.Nearest,
        },
    ];

    [Fact]
    public void Preprocess_EverySamplePhoto_IsTheSameFromItsRegion() => Compare([.. Samples.Where((_, i) => i % 4 == 0)]);

    [Fact]
    public void Preprocess_EverySharedPhoto_IsTheSameFromItsRegion()
    {
        var files = Directory
            .EnumerateFiles(SharedData.Require("data"), "*.jpg", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .ToArray();
        Compare([.. files.Where((_, i) => i % EveryNth == 0)]);
    }

    [Fact]
    public void Decode_APartByLibvips_LeavesTheRowsOfOtherBlocksAlone()
    {
        var part = new RgbImage();
        Alone.Decode(File.ReadAllBytes(Samples[0]), new DecodeOptions(), part);
        part.Pixels.Fill(77);
        var middle = new Middle();
        Alone.Decode(File.ReadAllBytes(Samples[0]), new DecodeOptions(), part, middle);
        var box = middle.Region(part.Width, part.Height);
        // Rows are fetched by blocks of 16.
        var (first, end) = (box.Y / 16 * 16, (box.Y + box.Height + 15) / 16 * 16);
        Assert.InRange(end, first + 16, part.Height - 16);
        Assert.False(part.Pixels[..(part.Width * 3 * first)].ContainsAnyExcept((byte)77));
        Assert.False(part.Pixels[(part.Width * 3 * end)..].ContainsAnyExcept((byte)77));
    }

    /// <summary>A photo that will be turned is decoded whole: its region is known in the turned photo only.</summary>
    [Fact]
    public void Decode_APartOfATurnedPhoto_IsThatPartOfTheWhole()
    {
        var photo = File.ReadAllBytes(Samples[0]);
        var size = new RgbImage();
        Alone.Decode(photo, new DecodeOptions(), size);
        // Little-endian TIFF with one entry: orientation (0x112), one SHORT, 6: turned by 90 degrees.
        byte[] exif = [.. "Exif\0\0II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
        byte[] encoded = [.. photo.AsSpan(0, 2), 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. photo.AsSpan(2)];
        foreach (var decoder in Available)
        {
            var options = new DecodeOptions { ExifTranspose = true };
            var whole = Result(decoder, encoded, options, new Middle(), wholly: true);
            Assert.StartsWith($"{size.Height} x {size.Width}", whole, StringComparison.Ordinal);
            Assert.Equal(whole, Result(decoder, encoded, options, new Middle()));
        }
    }

    /// <summary>Whether and why a photo fails does not depend on the part.</summary>
    [Fact]
    public void Decode_ADamagedPhoto_EndsAsTheWholeDoes()
    {
        var random = new Random(20261129);
        for (var i = 0; i < Changes; i++)
        {
            var whole = File.ReadAllBytes(Samples[random.Next(Samples.Length)]);
            AssertSame(Damage.Changed(whole, random), $"change {i}", new Middle());
            AssertSame(whole[..random.Next(whole.Length)], $"cut {i}", new Middle());
        }
    }

    private static void Compare(string[] files) =>
        Parallel.ForEach(
            files,
            file =>
            {
                var encoded = File.ReadAllBytes(file);
                var (whole, part) = (new RgbImage(), new RgbImage());
                Alone.Decode(encoded, new DecodeOptions(), whole);
                foreach (var steps in Steps)
                {
                    var preprocessor = new Preprocessor(steps);
                    var (width, height) = preprocessor.OutputSize(whole.Width, whole.Height);
                    var (expected, actual) = (new byte[width * height * 3], new byte[width * height * 3]);
                    preprocessor.RunBytes(whole, expected);
                    foreach (var decoder in Available)
                    {
                        part.Resize(whole.Width, whole.Height);
                        part.Pixels.Fill(77);
                        decoder.Decode(encoded, new DecodeOptions(), part, preprocessor);
                        preprocessor.RunBytes(part, actual);
                        Assert.True(expected.AsSpan().SequenceEqual(actual), $"{file} by {decoder.Libraries}: {steps}");
                    }
                }
            }
        );

    /// <summary>The middle half across, and from 30 to 60 % of the height.</summary>
    private sealed record Middle : IPhotoRegion
    {
        public PixelBox Region(int width, int height) =>
            new(width / 4, height * 3 / 10, Math.Max(1, width / 2), Math.Max(1, height * 3 / 10));
    }
}
