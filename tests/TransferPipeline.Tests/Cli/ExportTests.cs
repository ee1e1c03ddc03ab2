using System.Text.Json.Nodes;

namespace TransferPipeline.Tests.Cli;

/// <summary><c>transfer export</c> writes the head that a comparison found, from what the comparison's JSON says of it.</summary>
public sealed class ExportTests(MainJobTests.MainJob job) : IClassFixture<MainJobTests.MainJob>, IDisposable
{
    private readonly TempFolder _folder = new();

    private string Comparison => Path.Combine(job.Out, "comparison.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Export_BestHead_IsByteForByteTheClassifierOfTheRun()
    {
        var file = _folder.At("best.onnx");
        var result = Export("--out", file);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("softmax on efficientnet-lite0; replayed 16 photos", result.Output, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(Path.Combine(job.Out, "classifier.onnx")), File.ReadAllBytes(file));
    }

    [Fact]
    public void Export_SweptHeadOfFolds_HasTheChosenValueAndAllTheirPhotos()
    {
        var compared = TransferProcess.Run(
            "compare",
            "--features",
            job.Features,
            "--heads",
            "ridge:alpha=[1,1000],nearest-mean",
            "--folds",
            "3",
            "--json"
        );
        Assert.Equal(0, compared.ExitCode);
        var json = JsonNode.Parse(compared.Output)!;
        Assert.Equal(["train", "validation"], json["training"]!["splits"]!.AsArray().Select(s => s!.GetValue<string>()));
        File.WriteAllText(_folder.At("folds.json"), compared.Output);
        var exported = TransferProcess.Run(
            "export",
            _folder.At("folds.json"),
            "--head",
            "ridge",
            "--out",
            _folder.At("ridge.onnx"),
            "--json"
        );
        Assert.Equal(0, exported.ExitCode);
        var chosen = json["heads"]![0]!["parameters"]!["alpha"]!.ToJsonString();
        Assert.Equal(chosen, JsonNode.Parse(exported.Output)!["parameters"]!["alpha"]!.GetValue<string>());
    }

    [Fact]
    public void Export_UnknownHead_NamesThoseOfTheComparison() =>
        AssertRefused(
            "has no head 'softmx'; did you mean 'softmax'? (heads: softmax; linear-svm; ",
            "--head",
            "softmx",
            "--out",
            _folder.At("no.onnx")
        );

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"heads\": [{\"accuracy\": 1}]}")]
    public void Export_NotAComparison_SaysSo(string text)
    {
        File.WriteAllText(_folder.At("odd.json"), text);
        var result = TransferProcess.Run("export", _folder.At("odd.json"), "--out", _folder.At("no.onnx"));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("odd.json: not a comparison", result.LastErrorLine, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"resize\": \"256\"", "\"resize\": \"255\"", "its resize is 256, expected 255")]
    [InlineData("24,", "23,", "has 240 photos in split train")]
    [InlineData("\"photos_sha256\": \"", "\"photos_sha256\": \"0", "photos were replaced, or their labels changed, since ")]
    public void Export_FeatureSetOtherThanCompared_IsRefused(string found, string put, string message)
    {
        var text = File.ReadAllText(Comparison);
        var compact = JsonNode.Parse(text)!.ToJsonString(new() { WriteIndented = true });
        Assert.Contains(found, compact, StringComparison.Ordinal);
        File.WriteAllText(_folder.At("other.json"), compact.Replace(found, put, StringComparison.Ordinal));
        var result = TransferProcess.Run("export", _folder.At("other.json"), "--out", _folder.At("no.onnx"));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.LastErrorLine, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.At("no.onnx")));
    }

    private TransferResult Export(params string[] more) =>
        TransferProcess.RunIn(SharedData.Repository, null, ["export", Comparison, .. more]);

    private void AssertRefused(string message, params string[] arguments)
    {
        var result = Export(arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.LastErrorLine, StringComparison.Ordinal);
    }
}
