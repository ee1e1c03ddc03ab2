using System.Security.Cryptography;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>All rows and columns of shared/reference/preprocessing.tsv, made with Pillow, with every kernel of this machine.</summary>
public sealed class ReferencePreprocessingTests
{
    private static readonly (string Column, Preprocessing Steps)[] Columns =
    [
        ("decoded_rgb", new Preprocessing()),
        ("resize256_bilinear", new Preprocessing { ResizeShortSide = 256 }),
        ("resize256_bicubic", new Preprocessing { ResizeShortSide = 256, Interpolation = Interpolation.Bicubic }),
        ("crop224_of_bilinear", Preprocessing.ImageNet()),
        ("crop224_of_bicubic", Preprocessing.ImageNet(interpolation: Interpolation.Bicubic)),
        ("resize299x299_bilinear", new Preprocessing { ResizeWidth = 299, ResizeHeight = 299 }),
    ];

    public static TheoryData<string, string> Kernels
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var libraries in TestDecoder.Pillow)
            {
                foreach (var kernel in ResampleKernel.Available())
                    rows.Add(libraries, kernel.Name);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Every_row_and_column_of_the_reference_is_equal(string libraries, string kernelName)
    {
        var lines = File.ReadAllLines(SharedData.RequireReference("preprocessing.tsv"));
        var header = lines[0].Split('\t');
        var data = SharedData.Require("data");
        var kernel = ResampleKernel.Available().Single(k => k.Name == kernelName);
        var decoder = TestDecoder.Of(libraries);
        var preprocessors = Columns
            .Select(c => (Index: Array.IndexOf(header, c.Column), Steps: new Preprocessor(c.Steps, kernel)))
            .ToArray();
        var image = new RgbImage();
        Assert.Equal(109, lines.Length);
        foreach (var line in lines.Skip(1))
        {
            var cells = line.Split('\t');
            decoder.Decode(File.ReadAllBytes(Path.Combine(data, cells[0])), new DecodeOptions(), image);
            Assert.Equal((int.Parse(cells[1]), int.Parse(cells[2])), (image.Width, image.Height));
            foreach (var (index, steps) in preprocessors)
            {
                var (width, height) = steps.OutputSize(image.Width, image.Height);
                var bytes = new byte[width * height * 3];
                steps.RunBytes(image, bytes);
                Assert.True(cells[index] == Convert.ToHexStringLower(SHA256.HashData(bytes)), $"{cells[0]}: {header[index]} differs");
            }
        }
    }
}
