using System.Text.Json.Nodes;

namespace TransferPipeline.Tests.Cli;

/// <summary>One head or value that cannot be trained does not end a comparison.</summary>
public sealed class LeftOutHeadTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("--folds 3")]
    [InlineData("--calibrate --check-data --few-shot 1 2")]
    public void Compare_AHeadThatCannotBeTrained_IsLeftOutWithAWarning(string more)
    {
        var result = Compare(SolidColours(), "softmax,ridge,lda,nearest-mean", more);
        Assert.Equal(0, result.ExitCode);
        var comparison = JsonNode.Parse(result.Output)!;
        Assert.Equal(["softmax", "ridge", "nearest-mean"], comparison["heads"]!.AsArray().Select(h => h!["name"]!.GetValue<string>()));
        var left = Assert.Single(comparison["left_out"]!.AsArray())!;
        Assert.Equal("lda", left["name"]!.GetValue<string>());
        Assert.Contains("no variance inside classes", left["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains(
            comparison["warnings"]!.AsArray(),
            w => w!.GetValue<string>().StartsWith("lda: left out: lda: the vectors of each class are all equal", StringComparison.Ordinal)
        );
        Assert.Contains("warning: lda: left out: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("lda: left out: ", File.ReadAllText(_folder.At("page.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--folds 3")]
    public void Compare_AHeadThatDiverges_IsLeftOut(string more)
    {
        var set = SyntheticFeatureSet.Write(_folder.At("random"), SyntheticFeatureSet.Photos(10, ["cat", "dog"], "train", "validation"));
        var result = Compare(set, "ridge,mlp:learning_rate=1e30,mlp:learning_rate=[0.001,1e30]", more);
        Assert.True(result.ExitCode == 0, result.Error);
        var comparison = JsonNode.Parse(result.Output)!;
        Assert.Equal(["ridge", "mlp"], comparison["heads"]!.AsArray().Select(h => h!["name"]!.GetValue<string>()));
        Assert.Equal("mlp", Assert.Single(comparison["left_out"]!.AsArray())!["name"]!.GetValue<string>());
        Assert.Contains("warning: mlp learning_rate=1e30: left out: mlp: the loss is not finite", result.Error, StringComparison.Ordinal);
        Assert.Contains(
            "mlp learning_rate=[0.001,1e30]: 1 of 2 settings of the sweep are left out",
            result.Error,
            StringComparison.Ordinal
        );
        Assert.Contains("the loss is not finite", File.ReadAllText(_folder.At("page.html")), StringComparison.Ordinal);
        // Alone it is the error, of a job that failed.
        var alone = Compare(set, "mlp:learning_rate=1e30", more);
        Assert.Equal(1, alone.ExitCode);
        Assert.Contains("the loss is not finite", alone.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_AllHeadsImpossible_IsAnError()
    {
        var result = Compare(SolidColours(), "lda,lda:shrinkage=0.5", "");
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith(
            "transfer: lda: the vectors of each class are all equal, so there is no variance inside classes",
            result.LastErrorLine,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("--folds 3")]
    public void Compare_ASweepValueThatIsImpossible_IsLeftOut(string more)
    {
        var set = SyntheticFeatureSet.Write(_folder.At("random"), SyntheticFeatureSet.Photos(10, ["cat", "dog"], "train", "validation"));
        var result = Compare(set, "ridge,knn:n_neighbors=[1,3,500,1000]", more);
        Assert.Equal(0, result.ExitCode);
        var comparison = JsonNode.Parse(result.Output)!;
        Assert.Equal(2, comparison["heads"]!.AsArray().Count);
        Assert.Equal("1 3", string.Join(' ', comparison["sweeps"]![0]!["values"]!.AsArray().Select(v => v!.ToJsonString())));
        Assert.Contains(
            comparison["warnings"]!.AsArray(),
            w =>
                w!
                    .GetValue<string>()
                    .StartsWith(
                        "knn: 2 of 4 settings of the sweep are left out, the first is n_neighbors=500: knn: n_neighbors is 500, but "
                            + "there are only",
                        StringComparison.Ordinal
                    )
        );
        Assert.DoesNotContain("widen the sweep", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_ATemperatureWithoutAMistake_IsWarnedOf()
    {
        var result = Compare(SolidColours(), "softmax", "--calibrate");
        Assert.Contains(
            "warning: softmax: its temperature ran to 0.001, an end of the range: all or nearly all predictions that it was fitted to are",
            result.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Compare_AllSweepValuesImpossible_LeavesTheHeadOut()
    {
        var set = SyntheticFeatureSet.Write(_folder.At("random"), SyntheticFeatureSet.Photos(10, ["cat", "dog"], "train", "validation"));
        var comparison = JsonNode.Parse(Compare(set, "ridge,knn:n_neighbors=[500,1000]", "").Output)!;
        Assert.Equal("knn", Assert.Single(comparison["left_out"]!.AsArray())!["name"]!.GetValue<string>());
        var alone = Compare(set, "knn:n_neighbors=[500,1000]", "");
        Assert.Equal(2, alone.ExitCode);
        Assert.Contains("n_neighbors is 500, but there are only", alone.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_OneSettingOfAGridThatIsImpossible_KeepsTheOthers()
    {
        var result = Compare(SolidColours(), "nearest-mean,lda:shrinkage=[auto,0.1],knn:metric=[cosine,euclidean],n_neighbors=[1,500]", "");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("2 of 4 settings of the sweep are left out", result.Error, StringComparison.Ordinal);
        Assert.Contains("warning: lda: left out: ", result.Error, StringComparison.Ordinal);
    }

    private TransferResult Compare(string set, string heads, string more) =>
        TransferProcess.Run([
            "compare",
            "--features",
            set,
            "--heads",
            heads,
            "--json",
            "--report",
            _folder.At("page.html"),
            .. more.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ]);

    /// <summary>All vectors of a class are equal, as those of photos of one colour.</summary>
    private string SolidColours()
    {
        var photos = SyntheticFeatureSet.Photos(10, ["blue", "green", "red"], "train", "validation");
        return SyntheticFeatureSet.Write(
            _folder.At("solid"),
            photos,
            vectors =>
            {
                for (var i = 0; i < photos.Count; i++)
                    vectors.Row(i).Fill(0.1f * (1 + photos[i].Label.Length));
            }
        );
    }
}
