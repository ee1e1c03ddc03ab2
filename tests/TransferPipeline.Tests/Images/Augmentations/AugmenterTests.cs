using System.Security.Cryptography;
using TransferPipeline.Images;
using TransferPipeline.Images.Augmentations;

namespace TransferPipeline.Tests.Images.Augmentations;

/// <summary>Views depend on seed, photo and number alone; drawn parameters follow torchvision's distributions.</summary>
public sealed class AugmenterTests
{
    private const int Draws = 40_000;

    private static readonly Preprocessing Steps = Preprocessing.ImageNet(32);

    private static readonly Augmentation[] All =
    [
        new RandomResizedCrop(),
        new RandomHorizontalFlip(),
        new RandomRotation { Degrees = ValueRange.Around(0, 30) },
        new ColorJitter
        {
            Brightness = ColorJitter.Factor(0.4),
            Contrast = ColorJitter.Factor(0.4),
            Saturation = ColorJitter.Factor(0.4),
            Hue = ValueRange.Around(0, 0.1),
        },
    ];

    [Fact]
    public void Run_gives_the_same_view_whatever_was_made_before_and_on_any_thread()
    {
        var photos = Enumerable.Range(0, 6).Select(i => Noise(90 + 7 * i, 70 + 3 * i, i)).ToArray();
        var one = new Augmenter(All, Steps, 5);
        var expected = photos.SelectMany((p, i) => Enumerable.Range(1, 5).Select(v => View(one, p, i, v))).ToArray();
        Assert.Equal(expected.Length, expected.Distinct().Count());

        var actual = new string[expected.Length];
        Parallel.For(
            0,
            expected.Length,
            new ParallelOptions { MaxDegreeOfParallelism = 4 },
            n =>
            {
                var index = expected.Length - 1 - n;
                actual[index] = View(new Augmenter(All, Steps, 5), photos[index / 5], index / 5, index % 5 + 1);
            }
        );
        Assert.Equal(expected, actual);
        Assert.NotEqual(expected[0], View(new Augmenter(All, Steps, 6), photos[0], 0, 1));
    }

    [Fact]
    public void Run_normalizes_what_RunBytes_gives()
    {
        var photo = Noise(80, 60, 1);
        var augmenter = new Augmenter(All, Steps, 5);
        var bytes = new byte[32 * 32 * 3];
        augmenter.RunBytes(photo, Sha(1), 3, bytes);
        var image = new RgbImage();
        image.Resize(32, 32);
        bytes.CopyTo(image.Pixels);
        foreach (var layout in Enum.GetValues<TensorLayout>())
        {
            var expected = new float[bytes.Length];
            new Preprocessor(Steps with { ResizeShortSide = 0 }).Run(image, expected, layout);
            var actual = new float[bytes.Length];
            augmenter.Run(photo, Sha(1), 3, actual, layout);
            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void Run_without_a_random_crop_starts_from_the_preprocessed_photo()
    {
        var photo = Noise(80, 60, 1);
        var expected = new byte[32 * 32 * 3];
        new Preprocessor(Steps).RunBytes(photo, expected);
        var actual = new byte[expected.Length];
        new Augmenter([new RandomHorizontalFlip { Probability = 0 }], Steps, 1).RunBytes(photo, Sha(1), 1, actual);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void RandomResizedCrop_draws_area_and_aspect_uniformly_and_places_anywhere()
    {
        var crop = new RandomResizedCrop();
        double areas = 0,
            logs = 0,
            lefts = 0;
        int touchesLeft = 0,
            touchesRight = 0,
            fits = 0;
        for (var i = 0; i < Draws; i++)
        {
            var random = RandomStream.OfView(3, Sha(i), 1);
            var box = crop.Draw(4000, 4000, ref random);
            Assert.InRange(box.Width / (double)box.Height, 0.749, 1.335);
            Assert.True(box.X >= 0 && box.Y >= 0 && box.X + box.Width <= 4000 && box.Y + box.Height <= 4000);
            var area = box.Width * (double)box.Height / 16e6;
            Assert.InRange(area, 0.0799, 1.0001);
            if (area < 0.5)
            {
                // Half the photo and less fits at every aspect, so that no draw is refused.
                areas += area;
                logs += Math.Log(box.Width / (double)box.Height);
                lefts += box.X / (4000.0 - box.Width);
                fits++;
            }

            touchesLeft += box.X < 40 ? 1 : 0;
            touchesRight += box.X + box.Width > 3960 ? 1 : 0;
        }

        Assert.InRange(fits, Draws * 0.42 / 0.92 * 0.97, Draws * 0.60);
        Assert.InRange(areas / fits, 0.29 - 0.003, 0.29 + 0.003);
        Assert.InRange(logs / fits, -0.005, 0.005);
        Assert.InRange(lefts / fits, 0.49, 0.51);
        Assert.InRange(touchesLeft / (double)touchesRight, 0.93, 1.07);
    }

    [Theory]
    [InlineData(1000, 10, 0.75, 4.0 / 3, 13, 10)]
    [InlineData(10, 1000, 0.75, 4.0 / 3, 10, 13)]
    public void RandomResizedCrop_of_a_narrow_photo_falls_back_to_the_centre(
        int width,
        int height,
        double least,
        double most,
        int partWidth,
        int partHeight
    )
    {
        var crop = new RandomResizedCrop { Scale = new(0.9, 1), Ratio = new(least, most) };
        var random = RandomStream.OfView(3, Sha(0), 1);
        var box = crop.Draw(width, height, ref random);
        Assert.Equal((partWidth, partHeight), (box.Width, box.Height));
        Assert.Equal(((width - partWidth) / 2, (height - partHeight) / 2), (box.X, box.Y));
    }

    [Fact]
    public void Random_numbers_are_uniform_and_uncorrelated_between_views_and_photos()
    {
        double sum = 0,
            squares = 0,
            views = 0,
            photos = 0;
        var counts = new int[10];
        for (var i = 0; i < Draws; i++)
        {
            var a = RandomStream.OfView(9, Sha(i), 1).Unit() - 0.5;
            var b = RandomStream.OfView(9, Sha(i), 2).Unit() - 0.5;
            var c = RandomStream.OfView(9, Sha(i + 1), 1).Unit() - 0.5;
            sum += a;
            squares += a * a;
            views += a * b;
            photos += a * c;
            counts[(int)((a + 0.5) * 10)]++;
        }

        var error = 5 / Math.Sqrt(Draws);
        Assert.InRange(sum / Draws, -error * 0.29, error * 0.29);
        Assert.InRange(squares / Draws * 12, 1 - error, 1 + error);
        Assert.InRange(views / Draws * 12, -error, error);
        Assert.InRange(photos / Draws * 12, -error, error);
        Assert.All(counts, c => Assert.InRange(c, Draws / 10 * (1 - error * 3), Draws / 10 * (1 + error * 3)));
    }

    [Fact]
    public void RandomHorizontalFlip_flips_the_given_share()
    {
        var image = Noise(32, 32, 4);
        var flat = Steps with { ResizeShortSide = 0 };
        var augmenter = new Augmenter([new RandomHorizontalFlip { Probability = 0.25 }], flat, 8);
        var plain = image.Pixels.ToArray();
        var bytes = new byte[plain.Length];
        var kept = 0;
        for (var i = 0; i < 4000; i++)
        {
            augmenter.RunBytes(image, Sha(i), 1, bytes);
            kept += bytes.AsSpan().SequenceEqual(plain) ? 1 : 0;
        }

        Assert.InRange(kept, 2850, 3150);
    }

    [Fact]
    public void Augmenter_with_a_parameter_out_of_range_says_which()
    {
        Refused("RandomHorizontalFlip's p is 1.5; expected 0 to 1", new RandomHorizontalFlip { Probability = 1.5 });
        Refused(
            "ColorJitter's hue is -0.6..0.6; expected two rising values from -0.5 to 0.5",
            new ColorJitter { Hue = ValueRange.Around(0, 0.6) }
        );
        Refused(
            "RandomResizedCrop's size is 32 x 0; give both sides, or neither for the network's size",
            new RandomResizedCrop { Width = 32 }
        );
        Refused(
            "RandomRotation's interpolation is Lanczos; expected Nearest or Bilinear",
            new RandomRotation { Degrees = new(0, 1), Interpolation = Interpolation.Lanczos }
        );
        Refused(
            "ColorJitter's brightness is NaN..1; expected two rising values from 0 to 1.7976931348623157E+308",
            new ColorJitter { Brightness = new(double.NaN, 1) }
        );
        Assert.Contains(
            "fixed input size",
            Assert.Throws<UsageException>(() => new Augmenter([], new Preprocessing { ResizeShortSide = 256 }, 1)).Message
        );
        var wrong = new Augmenter([new RandomResizedCrop { Width = 40, Height = 40 }], Steps, 1);
        var error = Assert.Throws<UsageException>(() => wrong.RunBytes(Noise(50, 50, 1), Sha(1), 1, new byte[32 * 32 * 3]));
        Assert.Equal("the augmentations give 40 x 40 pixels; the network takes 32 x 32", error.Message);
    }

    [Fact]
    public void Description_names_every_parameter_and_the_seed()
    {
        Assert.Equal(
            "RandomResizedCrop(size=0x0, scale=0.08..1, ratio=0.75..1.3333333333333333, interpolation=Bilinear) | "
                + "RandomHorizontalFlip(p=0.5) | "
                + "RandomRotation(degrees=-30..30, interpolation=Nearest, fill=0) | ColorJitter(brightness=0.6..1.4, "
                + "contrast=0.6..1.4, saturation=0.6..1.4, hue=-0.1..0.1) | seed=5",
            new Augmenter(All, Steps, 5).Description
        );
    }

    private static void Refused(string message, Augmentation step) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => new Augmenter([step], Steps, 1)).Message);

    private static string View(Augmenter augmenter, RgbImage photo, int index, int view)
    {
        var bytes = new byte[32 * 32 * 3];
        augmenter.RunBytes(photo, Sha(index), view, bytes);
        return Convert.ToHexString(SHA256.HashData(bytes));
    }

    private static string Sha(int index) => Convert.ToHexStringLower(SHA256.HashData(BitConverter.GetBytes(index)));

    private static RgbImage Noise(int width, int height, int seed)
    {
        var image = new RgbImage();
        image.Resize(width, height);
        new Random(seed).NextBytes(image.Pixels);
        return image;
    }
}
