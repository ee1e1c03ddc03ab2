using System.Text.Json;
using TransferPipeline.Cli.Platform;

namespace TransferPipeline.Tests.Cli;

/// <summary><c>transfer init</c>: a pipeline that runs, for the photos that it is pointed at.</summary>
public sealed class InitTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Init_OfPhotosWithSplits_WritesAPipelineThatRuns()
    {
        var samples = Path.Combine(SharedData.Repository, "samples", "clothing");
        var result = TransferProcess.RunIn(_folder.Root, null, "init", samples);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        var text = File.ReadAllText(_folder.At("pipeline.yaml"));
        Assert.StartsWith(
            "# yaml-language-server: $schema=pipeline.schema.json\n# 340 photos of 10 classes",
            text,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("validation-share", text, StringComparison.Ordinal);
        Assert.Equal(
            File.ReadAllText(Path.Combine(SharedData.Repository, "pipelines", "pipeline.schema.json")),
            File.ReadAllText(_folder.At("pipeline.schema.json"))
        );
        Plan("pipeline.yaml");
    }

    [Fact]
    public void Init_AsJson_NamesTheFiles()
    {
        var samples = Path.Combine(SharedData.Repository, "samples", "clothing");
        var result = TransferProcess.RunIn(_folder.Root, null, "init", samples, "--json");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        using var json = JsonDocument.Parse(result.Output);
        Assert.Equal("pipeline.yaml", json.RootElement.GetProperty("file").GetString());
        Assert.True(File.Exists(json.RootElement.GetProperty("schema").GetString()));
        Assert.Equal(340, json.RootElement.GetProperty("photos").GetInt32());
        Assert.Equal(10, json.RootElement.GetProperty("classes").GetArrayLength());
    }

    [Fact]
    public void Init_OfPhotosWithoutSplits_HoldsSomeOut()
    {
        // A name that YAML would take for something else without quotes.
        SamplePhotos.Copy(_folder.At("12 # it's"), 8, "dress", "hat");
        var result = TransferProcess.RunIn(
            _folder.Root,
            null,
            "init",
            Path.Combine("12 # it's", "train"),
            "--out",
            Path.Combine("my jobs", "mine.yaml")
        );
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.EndsWith($"edit it, then: transfer run {ShellWords.Quoted(Path.Combine("my jobs", "mine.yaml"))}", result.Output.TrimEnd());
        var text = File.ReadAllText(_folder.At("my jobs/mine.yaml"));
        Assert.Contains("path: '../12 # it''s/train'", text, StringComparison.Ordinal);
        Assert.Contains("validation-share: 0.2", text, StringComparison.Ordinal);
        Assert.Contains("protocol: k-fold", text, StringComparison.Ordinal);
        Plan(Path.Combine("my jobs", "mine.yaml"));
    }

    [Fact]
    public void Init_OfAFolderWithABackslash_KeepsItsName()
    {
        // On Windows it separates folders.
        UnixTools.Require();
        SamplePhotos.Copy(_folder.At("photos"), 8, "dress", "hat");
        Directory.Move(_folder.At("photos/train"), _folder.At(@"pho\tos"));
        Assert.Equal(0, TransferProcess.RunIn(_folder.Root, null, "init", @"pho\tos").ExitCode);
        Assert.Contains(@"path: 'pho\tos'", File.ReadAllText(_folder.At("pipeline.yaml")), StringComparison.Ordinal);
        Plan("pipeline.yaml");
    }

    [Theory]
    [InlineData(3, "folds: 3")]
    [InlineData(8, "folds: 5")]
    public void Init_OfFewPhotos_HasNoMoreFoldsThanAClassHasPhotos(int photos, string folds)
    {
        SamplePhotos.Copy(_folder.At("few"), photos, "dress", "hat");
        // In YAML this is no text without quotes.
        Directory.Move(_folder.At("few/train"), _folder.At("null"));
        var result = TransferProcess.RunIn(_folder.Root, null, "init", "null");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("\n  " + folds + "\n", File.ReadAllText(_folder.At("pipeline.yaml")), StringComparison.Ordinal);
        Plan("pipeline.yaml");
    }

    /// <summary>Names without letters, and words that YAML takes for something else.</summary>
    [Theory]
    [InlineData(".yaml")]
    [InlineData("con.txt.yaml")]
    [InlineData("null.yaml")]
    [InlineData("true.yaml")]
    public void Init_OfAnOddName_WritesAPipelineThatRuns(string name)
    {
        var result = TransferProcess.RunIn(
            _folder.Root,
            null,
            "init",
            Path.Combine(SharedData.Repository, "samples", "clothing"),
            "--out",
            name
        );
        Assert.True(result.ExitCode == 0, result.Error);
        Plan(name);
    }

    [Fact]
    public void Init_WhereAPipelineIs_LeavesIt()
    {
        File.WriteAllText(_folder.At("pipeline.yaml"), "name: mine\n");
        var result = TransferProcess.RunIn(_folder.Root, null, "init", Path.Combine(SharedData.Repository, "samples", "clothing"));
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("pipeline.yaml is there already", result.LastErrorLine, StringComparison.Ordinal);
        Assert.Equal("name: mine\n", File.ReadAllText(_folder.At("pipeline.yaml")));
    }

    [Fact]
    public void Init_WithoutPhotos_SaysWhatIsExpected()
    {
        var result = TransferProcess.RunIn(_folder.Root, null, "init", "nowhere");
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("there is no such file or folder", result.LastErrorLine, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.At("pipeline.yaml")));
    }

    private void Plan(string pipeline)
    {
        var result = TransferProcess.RunIn(_folder.Root, null, "run", pipeline, "--dry-run");
        Assert.True(result.ExitCode == 0, result.Error);
    }
}
