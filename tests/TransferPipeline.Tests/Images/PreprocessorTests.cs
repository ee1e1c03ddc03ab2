using System.Globalization;
using System.Security.Cryptography;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>
/// Resize, crop and normalization against torchvision's values (Preprocessed/make.py) and a plain reference, with every kernel.
/// </summary>
public sealed class PreprocessorTests
{
    private static readonly string Folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images");

    public static TheoryData<string> Kernels => [.. ResampleKernel.Available().Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(Kernels))]
    public void RunBytes_of_small_and_odd_pictures_gives_torchvisions_pixels(string kernel)
    {
        var noise = TestDecoder.Decode(Path.Combine(Folder, "Augmentations", "noise.png"));
        var rows = File.ReadAllLines(Path.Combine(Folder, "Preprocessed", "expected.tsv")).Skip(1).ToArray();
        Assert.Equal(588, rows.Length);
        foreach (var row in rows)
        {
            var cells = row.Split('\t');
            var picture = Part(noise, cells[0]);
            var (resize, crop) = (Sizes(cells[1]), Sizes(cells[2]));
            var steps = new Preprocessing
            {
                ResizeShortSide = resize.Length == 1 ? resize[0] : 0,
                ResizeHeight = resize.Length == 2 ? resize[0] : 0,
                ResizeWidth = resize.Length == 2 ? resize[1] : 0,
                CropHeight = crop.Length == 2 ? crop[0] : 0,
                CropWidth = crop.Length == 2 ? crop[1] : 0,
                Interpolation = Enum.Parse<Interpolation>(cells[3]),
            };
            var preprocessor = new Preprocessor(steps, Kernel(kernel));
            var (width, height) = preprocessor.OutputSize(picture.Width, picture.Height);
            Assert.True((width, height) == (int.Parse(cells[4]), int.Parse(cells[5])), $"{row}: {width} x {height}");
            var bytes = new byte[width * height * 3];
            preprocessor.RunBytes(picture, bytes);
            Assert.True(cells[6] == Convert.ToHexStringLower(SHA256.HashData(bytes)), row);
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void RunBytes_of_random_sizes_equals_the_plain_reference(string kernel)
    {
        var random = new Random(12);
        for (var i = 0; i < 60; i++)
        {
            int width = random.Next(1, 90),
                height = random.Next(1, 90),
                toWidth = random.Next(1, 120),
                toHeight = random.Next(1, 120);
            var interpolation = (Interpolation)random.Next(1, 4);
            var picture = Picture(width, height, random, extremes: i % 2 == 0);
            var expected = PlainResize.Run(picture.Pixels, width, height, toWidth, toHeight, interpolation);
            var actual = new byte[expected.Length];
            var steps = new Preprocessing
            {
                ResizeWidth = toWidth,
                ResizeHeight = toHeight,
                Interpolation = interpolation,
            };
            new Preprocessor(steps, Kernel(kernel)).RunBytes(picture, actual);
            Assert.True(actual.AsSpan().SequenceEqual(expected), $"{interpolation} {width} x {height} to {toWidth} x {toHeight}");
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void RunBytes_reads_nothing_outside_the_region(string kernel)
    {
        var random = new Random(13);
        for (var i = 0; i < 120; i++)
        {
            int width = random.Next(1, 120),
                height = random.Next(1, 120),
                crop = random.Next(1, 40);
            var steps = new Preprocessing
            {
                ResizeShortSide = i % 3 == 0 ? 0 : random.Next(1, 90),
                CropWidth = crop,
                CropHeight = Math.Max(1, crop + random.Next(-20, 20)),
                Interpolation = (Interpolation)random.Next(0, 4),
            };
            var picture = Picture(width, height, random, extremes: i % 2 == 0);
            var preprocessor = new Preprocessor(steps, Kernel(kernel));
            var (expected, actual) = (new byte[steps.CropWidth * steps.CropHeight * 3], new byte[steps.CropWidth * steps.CropHeight * 3]);
            preprocessor.RunBytes(picture, expected);

            var box = preprocessor.Region(width, height);
            var inside = new RgbImage();
            inside.Resize(width, height);
            random.NextBytes(inside.Pixels);
            for (var y = box.Y; y < box.Y + box.Height; y++)
                picture.Row(y).Slice(box.X * 3, box.Width * 3).CopyTo(inside.Row(y)[(box.X * 3)..]);
            preprocessor.RunBytes(inside, actual);
            Assert.True(actual.AsSpan().SequenceEqual(expected), $"{width} x {height}, {steps}");
        }
    }

    [Fact]
    public void Region_of_a_usual_photo_is_little_more_than_the_crop()
    {
        // A scale of 400 / 256 = 1.5625: the crop's 224 x 224 begin at 16 across and at 58 down, where the filter reaches 1.5625 pixels to
        // both sides.
        Assert.Equal(new PixelBox(24, 90, 352, 352), new Preprocessor(Preprocessing.ImageNet()).Region(400, 533));
        Assert.Equal(new PixelBox(0, 0, 300, 200), new Preprocessor(new() { ResizeWidth = 299, ResizeHeight = 299 }).Region(300, 200));
        Assert.Equal(new PixelBox(38, 0, 224, 200), new Preprocessor(new() { CropWidth = 224, CropHeight = 224 }).Region(300, 200));
    }

    /// <summary>The decoder is to say first what is wrong with it.</summary>
    [Fact]
    public void Region_of_a_photo_too_narrow_for_the_resize_is_all_of_it() =>
        Assert.Equal(new PixelBox(0, 0, 1, 100_000_000), new Preprocessor(Preprocessing.ImageNet()).Region(1, 100_000_000));

    [Fact]
    public void Run_gives_torchs_float_bits_in_both_layouts_and_channel_orders()
    {
        var levels = new RgbImage();
        levels.Resize(256, 1);
        for (var i = 0; i < 256; i++)
            levels.Pixels.Slice(i * 3, 3).Fill((byte)i);
        var rows = File.ReadAllLines(Path.Combine(Folder, "Preprocessed", "normalized.tsv")).Skip(1).Select(r => r.Split('\t')).ToArray();
        foreach (var bgr in (bool[])[false, true])
        {
            foreach (var layout in Enum.GetValues<TensorLayout>())
            {
                var imageNet = new float[768];
                new Preprocessor(new Preprocessing { Bgr = bgr }).Run(levels, imageNet, layout);
                var other = new float[768];
                new Preprocessor(
                    new Preprocessing
                    {
                        Bgr = bgr,
                        Offset = 127,
                        Divisor = 128,
                    }
                ).Run(levels, other, layout);
                for (var i = 0; i < 768; i++)
                {
                    var (level, channel) = layout == TensorLayout.Nchw ? (i % 256, i / 256) : (i / 3, i % 3);
                    Assert.Equal(Bits(rows[level][1 + (bgr ? 2 - channel : channel)]), BitConverter.SingleToUInt32Bits(imageNet[i]));
                    Assert.Equal(Bits(rows[level][4]), BitConverter.SingleToUInt32Bits(other[i]));
                }
            }
        }
    }

    [Fact]
    public void Run_pads_a_small_photo_with_normalized_black()
    {
        var picture = Picture(2, 1, new Random(1), extremes: false);
        var steps = new Preprocessing { CropWidth = 5, CropHeight = 4 };
        var values = new float[5 * 4 * 3];
        new Preprocessor(steps).Run(picture, values);
        var black = (0f - 0.485f) / 0.229f;
        Assert.Equal(black, values[0]);
        Assert.Equal(18, values.Take(20).Count(v => v == black));
        Assert.Equal((picture.Pixels[0] / 255f - 0.485f) / 0.229f, values[1 * 5 + 1]);
    }

    [Theory]
    [InlineData(30_000, 10)]
    [InlineData(10, 30_000)]
    [InlineData(1, 1)]
    [InlineData(65_000, 1)]
    public void RunBytes_of_extreme_shapes_computes_the_crop_alone(int width, int height)
    {
        var picture = Picture(width, height, new Random(3), extremes: false);
        var bytes = new byte[224 * 224 * 3];
        var preprocessor = new Preprocessor(Preprocessing.ImageNet(interpolation: Interpolation.Bicubic));
        var before = GC.GetAllocatedBytesForCurrentThread();
        preprocessor.RunBytes(picture, bytes);

        // The whole resized photo would take hundreds of megabytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 << 20);
        if (width * height == 1)
            Assert.All(bytes, (level, i) => Assert.Equal(picture.Pixels[i % 3], level));
        else
            Assert.InRange(bytes.Distinct().Count(), 4, 256);
    }

    [Fact]
    public void OutputSize_of_a_photo_too_narrow_for_the_resize_is_an_error()
    {
        var preprocessor = new Preprocessor(Preprocessing.ImageNet());
        var error = Assert.Throws<ImageDecodeException>(() => preprocessor.OutputSize(100_000_000, 1));
        Assert.Equal("100000000 x 1 pixels are too narrow to resize to a short side of 256", error.Message);
    }

    [Fact]
    public void Preprocessor_with_contradicting_settings_says_which()
    {
        Refused("preprocessing: a size below 0", new Preprocessing { CropWidth = -1 });
        Refused("preprocessing: a width without a height, or a height without a width", new Preprocessing { CropWidth = 8 });
        Refused(
            "preprocessing: give either the short side or width and height to resize to, not both",
            new Preprocessing
            {
                ResizeShortSide = 8,
                ResizeWidth = 8,
                ResizeHeight = 8,
            }
        );
        Refused("preprocessing: 1 means and 3 deviations; expected 3 of each, for R, G and B", new Preprocessing { Mean = [0.5] });
        Refused("preprocessing: a deviation of 0", new Preprocessing { Std = [0.2, 0, 0.2] });
    }

    [Fact]
    public void Run_into_the_wrong_room_is_an_error()
    {
        var error = Assert.Throws<ArgumentException>(() =>
            new Preprocessor(Preprocessing.ImageNet(8)).RunBytes(Picture(20, 20, new Random(1), false), new byte[100])
        );
        Assert.Equal("room for 100 values; the photo needs 8 x 8 x 3", error.Message);
    }

    private static void Refused(string message, Preprocessing steps) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => new Preprocessor(steps)).Message);

    private static ResampleKernel Kernel(string name) => ResampleKernel.Available().Single(k => k.Name == name);

    private static uint Bits(string hex) => uint.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static int[] Sizes(string text) => text == "-" ? [] : [.. text.Split('x').Select(int.Parse)];

    private static RgbImage Part(RgbImage noise, string name)
    {
        var size = Sizes(name);
        var (left, top) = name == "1x1" ? (3, 3) : (0, 0);
        var part = new RgbImage();
        part.Resize(size[0], size[1]);
        for (var y = 0; y < size[1]; y++)
            noise.Row(top + y).Slice(left * 3, size[0] * 3).CopyTo(part.Row(y));
        return part;
    }

    /// <summary>Random levels, or only 0 and 255, where bicubic and Lanczos overshoot most.</summary>
    private static RgbImage Picture(int width, int height, Random random, bool extremes)
    {
        var image = new RgbImage();
        image.Resize(width, height);
        random.NextBytes(image.Pixels);
        if (extremes)
        {
            foreach (ref var level in image.Pixels)
                level = level < 128 ? (byte)0 : (byte)255;
        }

        return image;
    }
}
