using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using TransferPipeline.Classifiers;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Tests.Cli;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests;

/// <summary>The programs in docs/examples do what docs/programs.md says of them.</summary>
public sealed partial class ExamplesTests : IDisposable
{
    private static readonly string Examples = Path.Combine(SharedData.Repository, "docs", "examples");
    private static readonly string Samples = Path.Combine(SharedData.Repository, "samples", "clothing");

    /// <summary>
    /// What predict.py needs of ONNX Runtime: metadata from a JSON file; it keeps the input and returns the second class.
    /// </summary>
    private const string OnnxRuntimeStandIn = """
        import json
        import numpy

        class InferenceSession:
            def __init__(self, file, providers):
                self.file, self.count = file, 0

            def get_modelmeta(self):
                return self

            @property
            def custom_metadata_map(self):
                return {"transfer.classifier": open(self.file).read()}

            def get_inputs(self):
                return [self]

            name = "input"

            def run(self, outputs, feeds):
                assert outputs == ["probabilities"]
                x = feeds["input"]
                assert x.dtype == numpy.float32 and x.shape[0] == 1
                numpy.save(f"{self.file}.{self.count}.npy", x.reshape(1, -1))
                self.count += 1
                return [numpy.array([[0.25, 0.75]], numpy.float32)]
        """;

    private static readonly string Page = File.ReadAllText(Path.Combine(SharedData.Repository, "docs", "programs.md"));
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void CSharp_OnTheSample_TrainsAndExportsAHeadOfItsOwn()
    {
        var photo = Directory.GetFiles(Path.Combine(Samples, "validation", "hat")).Order(StringComparer.Ordinal).First();
        var first = Run();
        var second = Run();

        Assert.Equal((0, ""), (first.ExitCode, first.Error));
        var lines = Lines(first.Output);
        Assert.Equal("340 vectors of 1280 values", lines[0]);
        Assert.Contains(lines, line => line.StartsWith("pooled-gaussian ", StringComparison.Ordinal));
        Assert.StartsWith("replayed 16 photos", lines[^2], StringComparison.Ordinal);
        Assert.StartsWith("hat ", lines[^1], StringComparison.Ordinal);
        // Another decoder gives other vectors, so the figures are those of the npm set.
        Assert.Equal(Lines(OutputSample().Match(Page).Groups[1].Value), lines);
        Assert.Equal(lines, Lines(second.Output));

        static string[] Lines(string output) =>
            Difference().Replace(output, "DIFFERENCE").Split('\n', StringSplitOptions.RemoveEmptyEntries);

        TransferResult Run() =>
            TransferProcess.RunProgram(
                Path.Combine(AppContext.BaseDirectory, "example"),
                _folder.Root,
                null,
                Samples,
                _folder.At("out"),
                photo
            );
    }

    [Fact]
    public void Page_ShowsTheProgramsAsTheyAre()
    {
        Assert.Contains(
            "```csharp\n" + File.ReadAllText(Path.Combine(Examples, "csharp", "Program.cs")) + "```",
            Page,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "```python\n" + File.ReadAllText(Path.Combine(Examples, "python", "predict.py")) + "```",
            Page,
            StringComparison.Ordinal
        );
    }

    public static TheoryData<string, Preprocessing, bool> Forms =>
        new()
        {
            { "torchvision", Preprocessing.ImageNet(), false },
            { "efficientnet-lite", Preprocessing.ImageNet(224, Interpolation.Bicubic) with { Offset = 127, Divisor = 128 }, false },
            {
                "width and height, no crop",
                new()
                {
                    ResizeWidth = 299,
                    ResizeHeight = 200,
                    Interpolation = Interpolation.Lanczos,
                },
                true
            },
            {
                "BGR, crop of a smaller photo",
                new()
                {
                    ResizeShortSide = 150,
                    CropWidth = 225,
                    CropHeight = 160,
                    Bgr = true,
                    Interpolation = Interpolation.Nearest,
                },
                false
            },
            {
                "photo as it is",
                new() { CropWidth = 201, CropHeight = 301 },
                true
            },
        };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Python_EachPreprocessing_GivesOurPixels(string form, Preprocessing preprocessing, bool nhwc)
    {
        var layout = nhwc ? TensorLayout.Nhwc : TensorLayout.Nchw;
        var python = RequirePython();
        var photos = Directory
            .GetFiles(Samples, "*.jpg", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Where((_, i) => i % 100 == 7)
            .ToList();
        Assert.Equal(4, photos.Count);
        _folder.Write("onnxruntime.py", OnnxRuntimeStandIn);
        var info = new ClassifierInfo
        {
            Labels = ["cat", "dog"],
            Preprocessing = preprocessing,
            Layout = layout,
            InputHeight = 224,
            InputWidth = 224,
            ExifTranspose = form == "torchvision",
            Head = "softmax",
            HeadSettings = new Dictionary<string, string>(),
            Recipe = new Dictionary<string, string>(),
        };
        var classifier = _folder.Write("classifier", JsonSerializer.Serialize(info, ClassifierJson.Default.ClassifierInfo));

        var result = TransferProcess.RunProgram(
            python,
            _folder.Root,
            new Dictionary<string, string> { ["PYTHONPATH"] = _folder.Root },
            [Path.Combine(Examples, "python", "predict.py"), classifier, .. photos]
        );

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal(photos.Select(photo => $"{photo}: dog 0.750"), result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var (preprocessor, image) = (new Preprocessor(preprocessing), new RgbImage());
        for (var i = 0; i < photos.Count; i++)
        {
            TestDecoder.Create().Decode(File.ReadAllBytes(photos[i]), new() { ExifTranspose = info.ExifTranspose }, image);
            var (width, height) = preprocessor.OutputSize(image.Width, image.Height);
            var expected = new float[3 * width * height];
            preprocessor.Run(image, expected, layout);
            Assert.True(
                MemoryMarshal
                    .AsBytes(expected.AsSpan())
                    .SequenceEqual(MemoryMarshal.AsBytes(NpyFile.ReadMatrix($"{classifier}.{i}.npy").Row(0))),
                $"{form}: {photos[i]}"
            );
        }
    }

    /// <summary>A Python with NumPy and Pillow; skips the calling test where there is none.</summary>
    private static string RequirePython()
    {
        foreach (var python in new[] { "python3", "/usr/bin/python3" })
        {
            try
            {
                if (TransferProcess.RunProgram(python, Path.GetTempPath(), null, "-c", "import numpy, PIL").ExitCode == 0)
                    return python;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // There is no such program; the next one may be there.
            }
        }

        Assert.Skip("needs Python with NumPy and Pillow");
        throw new UnreachableException();
    }

    [GeneratedRegex(@"<!-- output of the example -->\n```\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex OutputSample();

    /// <summary>The last bits differ between processors.</summary>
    [GeneratedRegex(@"(?<=difference of a probability )\S+")]
    private static partial Regex Difference();
}
