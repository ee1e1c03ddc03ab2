using System.Text.Json.Nodes;
using TransferPipeline.Tests.Cli;

namespace TransferPipeline.Tests.Pipelines;

/// <summary>Whole runs through the command, on a few photos of the repository.</summary>
public sealed class PipelineRunnerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_HeadsThatOnnxCannotHold_AreComparedWhereNothingIsExported()
    {
        var heads = JsonNode.Parse(TransferProcess.Run("heads", "--json").Output)!.AsArray();
        if (!heads.Any(h => (string)h!["name"]! == "mlnet-fast-tree" && (bool)h["available"]!))
            Assert.Skip("needs ML.NET");
        SamplePhotos.Copy(_folder.At("photos"), 4, "dress", "hat");
        var pipeline = _folder.Write(
            "p.yaml",
            "data: { path: photos }\nmodel: efficientnet-lite0\nheads: [mlnet-fast-tree]\nreport: pages/report.html\n"
        );
        var result = TransferProcess.Run("run", pipeline, "--out", _folder.At("out"));
        Assert.Equal((0, ""), (result.ExitCode, result.ExitCode == 0 ? "" : result.Error));
        Assert.True(File.Exists(_folder.At("out", "comparison.json")));
        Assert.True(File.Exists(_folder.At("out", "pages", "report.html")));
    }

    [Fact]
    public void Run_HeadsThatOnnxCannotHold_AreNotTrainedForAnExport()
    {
        if (TransferProcess.Run("heads", "mlnet-fast-tree", "--json").Output.Contains("\"available\": false", StringComparison.Ordinal))
            Assert.Skip("needs ML.NET");
        SamplePhotos.Copy(_folder.At("photos"), 2, "dress", "hat");
        var pipeline = _folder.Write(
            "p.yaml",
            "data: { path: photos }\nmodel: efficientnet-lite0\nheads: [mlnet-fast-tree]\nexport: c.onnx\n"
        );
        foreach (var more in new string[][] { [], ["--dry-run"] })
        {
            var refused = TransferProcess.Run(["run", pipeline, "--out", _folder.At("out"), .. more]);
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains("p.yaml:4: export: mlnet-fast-tree keeps its trees", refused.LastErrorLine, StringComparison.Ordinal);
            Assert.False(Directory.Exists(_folder.At("out")));
        }
    }

    [Fact]
    public void Run_AWrongCutOfTheSecondBackbone_IsFoundBeforeTheFirstOneRuns()
    {
        SamplePhotos.Copy(_folder.At("photos"), 2, "dress", "hat");
        var pipeline = _folder.Write(
            "p.yaml",
            $"data: {{ path: photos }}\nmodel: [efficientnet-lite0, '{SharedData.RequireModel("efficientnet-lite0-int8.onnx")}']\n"
                + "heads: [ridge]\ncut: /_blocks.11/_expand_conv/Conv_output_0\npooling: avg\npreprocessing: {offset: 127, divisor: 128}\n"
        );
        var refused = TransferProcess.Run("run", pipeline, "--out", _folder.At("out"));
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("/_blocks.11/_expand_conv/Conv_output_0", refused.LastErrorLine, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.At("out")), refused.Error);
    }

    [Theory]
    [InlineData("{interpolation: nearest}", true)]
    [InlineData("{crop: 224}", false)]
    public void Run_APreprocessingThatIsNotTheModels_IsStated(string changes, bool isStated)
    {
        SamplePhotos.Copy(_folder.At("photos"), 2, "dress", "hat");
        var pipeline = _folder.Write(
            "p.yaml",
            $"data: {{ path: photos, validation-share: 0.5 }}\nmodel: efficientnet-lite0\nheads: [ridge]\npreprocessing: {changes}\n"
        );
        var run = TransferProcess.Run("run", pipeline, "--out", _folder.At("out"));
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(
            isStated,
            run.Error.Contains("efficientnet-lite0.onnx: its preprocessing is changed to short side 256 nearest", StringComparison.Ordinal)
        );
        Assert.Equal(isStated, run.Error.Contains("is changed to", StringComparison.Ordinal));
    }

    [Fact]
    public void DryRun_WritesNothing()
    {
        SamplePhotos.Copy(_folder.At("photos"), 2, "dress", "hat");
        var pipeline = _folder.Write(
            "p.yaml",
            "data: { path: photos }\nmodel: efficientnet-lite0\nheads: [ridge]\nexport: c.onnx\nreport: pages/r.html\n"
        );
        // A file that is made and deleted again leaves its folder's time behind.
        var before = DateTime.UnixEpoch;
        Directory.SetLastWriteTimeUtc(_folder.Root, before);
        var plan = TransferProcess.Run("run", pipeline, "--out", _folder.At("out"), "--dry-run");
        Assert.Equal((0, ""), (plan.ExitCode, plan.Error));
        Assert.Equal(before, Directory.GetLastWriteTimeUtc(_folder.Root));
    }

    [Fact]
    public void Run_PredictionsWithFolds_AreOfPhotosThatTheHeadHasNotSeen()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 4, "dress", "hat");
        var pipeline = _folder.Write(
            "p.yaml",
            "data: { path: photos }\nmodel: efficientnet-lite0\nheads: [ridge]\nevaluation: { protocol: k-fold, folds: 2 }\n"
                + "export: classifier.onnx\npredictions: predictions.html\n"
        );
        foreach (var more in new string[][] { [], ["--dry-run"] })
        {
            var refused = TransferProcess.Run(["run", pipeline, "--out", _folder.At("out"), .. more]);
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains(
                "predictions: with folds the exported head is trained on all photos but",
                refused.Error,
                StringComparison.Ordinal
            );
            Assert.False(Directory.Exists(_folder.At("out")));
        }

        Directory.Move(Path.Combine(photos, "validation"), Path.Combine(photos, "test"));
        var result = TransferProcess.Run("run", pipeline, "--out", _folder.At("out"));
        Assert.Equal((0, ""), (result.ExitCode, result.ExitCode == 0 ? "" : result.Error));
        var page = File.ReadAllText(_folder.At("out", "predictions.html"));
        Assert.Contains("<h1>8 photos, ", page, StringComparison.Ordinal);
        Assert.DoesNotContain("train/", page, StringComparison.Ordinal);
    }
}
