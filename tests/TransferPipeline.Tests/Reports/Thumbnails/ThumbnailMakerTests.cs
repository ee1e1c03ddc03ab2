using TransferPipeline.Images;
using TransferPipeline.Reports;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests.Reports.Thumbnails;

public sealed class ThumbnailMakerTests
{
    private static readonly ThumbnailMaker Maker = new(TestDecoder.Create(), TestDecoder.CreateEncoder());

    [Fact]
    public void A_thumbnail_of_a_photo_is_small_and_like_it()
    {
        var photo = Directory
            .GetFiles(Path.Combine(SharedData.Repository, "samples", "clothing"), "*.jpg", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .First();
        var resized = new byte[128 * 128 * 3];
        new Preprocessor(
            new()
            {
                ResizeShortSide = 128,
                CropWidth = 128,
                CropHeight = 128,
            }
        ).RunBytes(TestDecoder.Decode(photo), resized);

        var thumbnail = Maker.Make(File.ReadAllBytes(photo))!;

        Assert.InRange(thumbnail.Length, 1_000, 9_000);
        var decoded = new RgbImage();
        TestDecoder.Create().Decode(thumbnail, new DecodeOptions(), decoded);
        var sum = 0L;
        for (var i = 0; i < resized.Length; i++)
            sum += Math.Abs(resized[i] - decoded.Pixels[i]);
        Assert.True(sum < 6 * resized.Length);
    }

    [Fact]
    public void A_file_that_is_no_photo_has_no_thumbnail() => Assert.Null(Maker.Make("not a photo"u8));
}
