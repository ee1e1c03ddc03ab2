using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Tests.Extraction;

namespace TransferPipeline.Tests.Features;

public sealed class RecipeTests
{
    private static readonly Recipe Some = new()
    {
        Model = "net",
        ModelSha256 = "ab12",
        Cut = "penultimate",
        Pooling = "none",
        Preprocessing = Preprocessing.ImageNet(),
        Decoder = "decoder 1",
    };

    public static TheoryData<string> Fields => [.. Changes.Keys];

    private static readonly Dictionary<string, Recipe> Changes = new()
    {
        ["model_sha256"] = Some with { ModelSha256 = "cd34" },
        ["cut"] = Some with { Cut = "features" },
        ["pooling"] = Some with { Pooling = "avg" },
        ["resize"] = Some with { Preprocessing = Some.Preprocessing with { ResizeShortSide = 300 } },
        ["interpolation"] = Some with { Preprocessing = Some.Preprocessing with { Interpolation = Interpolation.Lanczos } },
        ["crop"] = Some with { Preprocessing = Some.Preprocessing with { CropHeight = 200 } },
        ["normalization"] = Some with { Preprocessing = Some.Preprocessing with { Std = [1, 1, 0.5] } },
        ["channels"] = Some with { Preprocessing = Some.Preprocessing with { Bgr = true } },
        ["exif_transpose"] = Some with { ExifTranspose = true },
        ["decoder"] = Some with { Decoder = "decoder 2" },
        ["views"] = Some with { Views = 3 },
        ["augmentation"] = Some with { Augmentation = "flip" },
        ["provider"] = Some with { Provider = "cuda" },
        ["precision"] = Some with { Precision = "fp16" },
        ["version"] = Some with { Version = 2 },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public void Differences_NameTheFieldThatChanged(string field)
    {
        Assert.Equal(field, Assert.Single(Some.Differences(Changes[field])).Field);
        Assert.NotEqual(Some.Hash(), Changes[field].Hash());
        Assert.NotEqual(Some, Changes[field]);
    }

    [Fact]
    public void Fields_AreAllCovered() => Assert.Equal(Some.Fields().Select(f => f.Key).Skip(1), Changes.Keys);

    [Fact]
    public void Differences_OfTheNameAlone_AreNone()
    {
        var renamed = Some with { Model = "net-2", Preprocessing = Some.Preprocessing with { Mean = [0.485, 0.456, 0.406] } };
        Assert.Empty(Some.Differences(renamed));
        Assert.Equal(Some.Hash(), renamed.Hash());
        Assert.Equal(["model", "model_sha256"], Some.Differences(renamed with { ModelSha256 = "ff" }).Select(d => d.Field));
    }

    [Fact]
    public void Manifest_WrittenAndRead_KeepsEveryField()
    {
        using var folder = new TempFolder();
        var preprocessing = Some.Preprocessing with { Bgr = true, Mean = [1.0 / 3, 0.1, 0.2], Interpolation = Interpolation.Bicubic };
        var manifest = new FeatureManifest
        {
            Recipe = Some with { Preprocessing = preprocessing, Views = 2 },
            Dimension = 7,
            Classes = ["a \"b\"", "ü"],
            Parts = [new("part-00003.parquet", 5, 99, "aa", "4+5")],
            NextPart = 4,
            Failed = new("failed.parquet", 1, 2, "bb"),
            Complete = true,
            Shard = "1/2",
            Cost = new(5, 0.125, 1, 2, 3, 2, "cpu"),
        };
        manifest.Write(folder.Root);
        var read = FeatureManifest.Read(folder.Root)!;
        Assert.Equal(manifest.ToJson(), read.ToJson());
        Assert.Equal(manifest.Recipe, read.Recipe);
        Assert.Equal(manifest.Parts, read.Parts);
        Assert.Equal(["manifest.json"], Directory.GetFiles(folder.Root).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("cpu", Provider.Cpu, 0)]
    [InlineData("cuda", Provider.Cuda, 0)]
    [InlineData("cuda:3", Provider.Cuda, 3)]
    [InlineData("tensorrt:1", Provider.TensorRt, 1)]
    public void DeviceOptions_Device_ReadsProviderAndGpu(string text, Provider provider, int index)
    {
        var device = new DeviceOptions { Device = text };
        Assert.Equal((provider, index, text), (device.Provider, device.Index, device.Device));
    }

    [Theory]
    [InlineData("cudo", Precision.Fp32, "did you mean 'cuda'?")]
    [InlineData("cuda:x", Precision.Fp32, "number of a GPU")]
    [InlineData("cpu:1", Precision.Fp32, "number of a GPU")]
    [InlineData("cpu", Precision.Tf32, "on CUDA only")]
    public void DeviceOptions_OfAnother_IsAUsageError(string device, Precision precision, string message) =>
        Assert.Contains(
            message,
            Assert.Throws<UsageException>(() => new DeviceOptions { Device = device, Precision = precision }.Check()).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(new int[0], "")]
    [InlineData(new[] { 4, 5, 6, 9 }, "4+3,9+1")]
    [InlineData(new[] { 3, 2, 1 }, "3+1,2+1,1+1")]
    public void RowOrder_FormatThenParse_GivesThePositions(int[] positions, string text)
    {
        Assert.Equal(text, RowOrder.Format(positions));
        Assert.Equal(positions, RowOrder.Parse(new("p", positions.Length, 0, "", text), "folder"));
    }
}
