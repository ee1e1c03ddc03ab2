using System.Globalization;
using System.Security.Cryptography;
using TransferPipeline.Images;
using TransferPipeline.Images.Augmentations;

namespace TransferPipeline.Tests.Images.Augmentations;

/// <summary>Each operation with fixed parameters gives torchvision's pixels (make.py).</summary>
public sealed class AugmentationReferenceTests
{
    private static readonly string Folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images");

    public static TheoryData<string> Rows =>
        [
            .. File.ReadAllLines(Path.Combine(Folder, "Augmentations", "expected.tsv"))
                .Skip(1)
                .Where(r => !r.StartsWith("every-color", StringComparison.Ordinal)),
        ];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Operation_with_forced_parameters_gives_torchvisions_pixels(string row)
    {
        var cells = row.Split('\t');
        var source = TestDecoder.Decode(
            cells[0] == "noise" ? Path.Combine(Folder, "Augmentations", "noise.png") : Path.Combine(Folder, "Formats", "rgb.png")
        );
        var before = source.Pixels.ToArray();
        var canvas = new AugmentationCanvas(new Resampler(ResampleKernel.Create()), 224, 224);
        canvas.Start(source);
        Apply(cells[1], cells[2].Split(' '), canvas);
        Assert.Equal((int.Parse(cells[3]), int.Parse(cells[4])), (canvas.Picture.Width, canvas.Picture.Height));
        Assert.Equal(cells[5], Convert.ToHexStringLower(SHA256.HashData(canvas.Picture.Pixels)));
        Assert.True(source.Pixels.SequenceEqual(before), "the decoded photo changed");
    }

    [Theory]
    [InlineData(0.01, "9a40e6ce6cc3bc9c7b5745b374359859074f3d37009f22277e7f9c14886460d7")]
    [InlineData(-0.004, "dede90c18b0d6b5f00c074fa847d73840c530803d50b86875c85369dfe55daa8")]
    public void Rotation_of_a_photo_too_wide_for_fixed_point_gives_pillows_pixels(double degrees, string sha)
    {
        // Pillow 9.4: fromarray(fromfunction(lambda y, x, c: (7x + 13y + 29c) % 256, (3, 40000, 3))).rotate(degrees, fillcolor=(9, 9, 9))
        var canvas = new AugmentationCanvas(new Resampler(ResampleKernel.Create()), 8, 8);
        var photo = new RgbImage();
        photo.Resize(40_000, 3);
        for (var i = 0; i < photo.Pixels.Length; i++)
            photo.Pixels[i] = (byte)((i / 3 % 40_000 * 7) + (i / 120_000 * 13) + (i % 3 * 29));
        canvas.Start(photo);
        new RandomRotation { Degrees = new(0, 0), Fill = 9 }.Rotate(canvas, degrees);
        Assert.Equal(sha, Convert.ToHexStringLower(SHA256.HashData(canvas.Picture.Pixels)));
    }

    [Fact]
    public void Hue_and_saturation_give_torchvisions_value_for_every_color()
    {
        var rows = File.ReadAllLines(Path.Combine(Folder, "Augmentations", "expected.tsv"))
            .Where(r => r.StartsWith("every-color", StringComparison.Ordinal));
        var colors = new byte[3 << 24];
        foreach (var cells in rows.Select(r => r.Split('\t')))
        {
            for (var i = 0; i < 1 << 24; i++)
                (colors[3 * i], colors[3 * i + 1], colors[3 * i + 2]) = ((byte)(i >> 16), (byte)(i >> 8), (byte)i);
            if (cells[1] == "hue")
                ColorChanges.Hue(colors, Number(cells[2]));
            else
                ColorChanges.Saturation(colors, (float)Number(cells[2]));
            Assert.Equal(cells[5], Convert.ToHexStringLower(SHA256.HashData(colors)));
        }
    }

    private static void Apply(string operation, string[] parameters, AugmentationCanvas canvas)
    {
        switch (operation)
        {
            case "flip":
                RandomHorizontalFlip.Flip(canvas);
                return;
            case "rotate":
                new RandomRotation
                {
                    Degrees = new(0, 0),
                    Interpolation = Enum.Parse<Interpolation>(parameters[1]),
                    Fill = byte.Parse(parameters[2]),
                }.Rotate(canvas, Number(parameters[0]));
                return;
            case "resized_crop":
                var n = parameters.Take(6).Select(int.Parse).ToArray();
                canvas.CropAndResize(new PixelBox(n[0], n[1], n[2], n[3]), n[4], n[5], Enum.Parse<Interpolation>(parameters[6]));
                return;
        }

        // A jitter whose interval is one value applies just that value.
        var value = new ValueRange(Number(parameters[0]), Number(parameters[0]));
        var jitter = operation switch
        {
            "brightness" => new ColorJitter { Brightness = value },
            "contrast" => new ColorJitter { Contrast = value },
            "saturation" => new ColorJitter { Saturation = value },
            _ => new ColorJitter { Hue = value },
        };
        var random = RandomStream.OfView(1, new string('0', 64), 1);
        jitter.Apply(canvas, ref random);
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
