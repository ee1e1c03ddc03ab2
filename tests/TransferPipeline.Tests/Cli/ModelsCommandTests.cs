using System.Text.Json;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Images;
using TransferPipeline.Tests.Backbones;

namespace TransferPipeline.Tests.Cli;

/// <summary><c>transfer models</c> as a child process with a store of its own.</summary>
public sealed class ModelsCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Add_PreprocessingOptions_AreInTheManifest()
    {
        Succeed(
            "add",
            Model(),
            "--name",
            "a",
            "--resize",
            "14",
            "--crop",
            "12",
            "--interpolation",
            "bicubic",
            "--mean",
            "0.5,0.4,0.3",
            "--std",
            "0.2,0.2,0.25",
            "--bgr"
        );
        var p = Preprocessing("a");
        Assert.Equal(
            (14, 12, 12, Interpolation.Bicubic, true, 0.0),
            (p.ResizeShortSide, p.CropHeight, p.CropWidth, p.Interpolation, p.Bgr, p.Divisor)
        );
        Assert.Equal([0.5, 0.4, 0.3], p.Mean);
        Assert.Equal([0.2, 0.2, 0.25], p.Std);

        Succeed("add", Model(), "--name", "b", "--resize", "12x12", "--range", "-1,1");
        p = Preprocessing("b");
        Assert.Equal((0, 12, 12, 127.5, 127.5), (p.ResizeShortSide, p.ResizeHeight, p.ResizeWidth, p.Offset, p.Divisor));

        Succeed("add", Model(), "--name", "c", "--resize", "none", "--offset", "127", "--divisor", "128");
        p = Preprocessing("c");
        Assert.Equal((0, 0, 12, 127.0, 128.0), (p.ResizeShortSide, p.ResizeHeight, p.CropHeight, p.Offset, p.Divisor));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(false, "--preprocessing", "clip")]
    [InlineData(false, "--range", "-1,1")]
    [InlineData(false, "--bgr", "false")]
    [InlineData(true, "--bgr")]
    [InlineData(true, "--preprocessing", "clip", "--bgr", "true")]
    public void Add_WithoutBgr_KeepsRedGreenBlue(bool bgr, params string[] options)
    {
        Succeed(["add", Model(), "--name", "a", .. options]);
        Assert.Equal(bgr, Preprocessing("a").Bgr);
    }

    [Fact]
    public void AddAndVerify_AsJson_NameTheFile()
    {
        using var added = JsonDocument.Parse(Run("add", Model(), "--name", "a", "--resize", "12x12", "--range", "-1,1", "--json").Output);
        Assert.Equal("a", added.RootElement.GetProperty("manifest").GetProperty("name").GetString());
        var file = added.RootElement.GetProperty("file").GetString();
        Assert.True(File.Exists(file));
        using var verified = JsonDocument.Parse(Run("verify", "a", "--json").Output);
        var model = Assert.Single(verified.RootElement.EnumerateArray());
        Assert.Equal(("a", file), (model.GetProperty("name").GetString(), model.GetProperty("file").GetString()));
    }

    [Theory]
    [InlineData("the preprocessing gives 11 x 11 pixels, model.onnx takes 12 x 12: set its crop to that size", "--crop", "11")]
    [InlineData("--resize is 'big', expected none, the short side, or height and width, in pixels", "--resize", "big")]
    [InlineData("--mean is '1,2', expected three numbers, for red, green and blue", "--mean", "1,2")]
    [InlineData("--std is '1,0,1', expected three numbers greater than 0, for red, green and blue", "--std", "1,0,1")]
    [InlineData("did you mean 'bicubic'?", "--interpolation", "bicubik")]
    [InlineData(
        "--range is given beside mean; expected one of mean with std, range, or offset with divisor",
        "--range",
        "0,1",
        "--mean",
        "0,0,0"
    )]
    [InlineData("the offset of (x - offset) / divisor needs a divisor", "--offset", "127")]
    [InlineData("--range is '1,0', expected two numbers, the second greater than the first", "--range", "1,0")]
    public void Add_WrongOption_IsOneLine(string expected, params string[] options)
    {
        var result = Run(["add", Model(), "--name", "wrong", .. options]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(expected, result.LastErrorLine);
        Assert.False(File.Exists(_folder.At("store", "wrong.yaml")));
    }

    [Fact]
    public void List_ModelWithoutAddress_SaysWhereToPutIt()
    {
        var output = Run("list", "--json").Output;
        Assert.Contains("efficientnet-lite2", output);
        var table = Run("list").Output.Replace("\n", "", StringComparison.Ordinal);
        Assert.DoesNotContain("transfer models pull efficientnet-lite2", table);
        Assert.Contains("transfer models pull resnet50", table);
        Assert.Contains("no public address", table);
    }

    [Fact]
    public void RunPipeline_SeveralModelFiles_ComparesThem()
    {
        SamplePhotos.Copy(_folder.At("data"), 6, "hat", "shoes");
        var files = Enumerable.Range(0, 3).Select(i => _folder.At($"m{i}.onnx")).ToList();
        foreach (var file in files)
            File.Copy(Model(), file);
        var pipeline = _folder.Write(
            "p.yaml",
            $"name: p\ndata:\n  path: data\nmodel: [{string.Join(", ", files)}]\nheads: [nearest-mean]\n"
        );
        var result = TransferProcess.RunIn(_folder.Root, null, "run", pipeline, "--out", _folder.At("out"));
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.All(files, f => Assert.True(Directory.Exists(_folder.At("out", "features", Path.GetFileNameWithoutExtension(f)))));
    }

    private Preprocessing Preprocessing(string name) => ManifestYaml.Read(_folder.At("store", name + ".yaml")).Preprocessing;

    private string Model()
    {
        var m = new SmallModel();
        m.Output(m.Gemm(m.Node("Flatten", m.Body(m.Input)), 72, SmallModel.Classes));
        return m.Save(_folder);
    }

    private void Succeed(params string[] arguments)
    {
        var result = Run(arguments);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    private TransferResult Run(params string[] arguments) =>
        TransferProcess.RunIn(
            _folder.Root,
            new Dictionary<string, string> { ["TRANSFER_MODELS"] = _folder.At("store"), ["COLUMNS"] = "300" },
            ["models", .. arguments]
        );
}
