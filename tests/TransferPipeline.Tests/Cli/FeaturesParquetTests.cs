namespace TransferPipeline.Tests.Cli;

/// <summary>The subcommands of <c>transfer features</c> take the Parquet library by name.</summary>
public sealed class FeaturesParquetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Features_EachLibrary_GivesTheSame()
    {
        var photos = Enumerable.Range(0, 40).Select(i => (i % 3 == 0 ? "cat" : "dog", i % 4 == 0 ? "validation" : "train")).ToList();
        var set = SyntheticFeatureSet.Write(_folder.At("set"), photos);
        var shown = new List<string>();
        foreach (var library in (string[])["parquetsharp", "parquet-net"])
        {
            shown.Add(Run("show", set, "--parquet", library));
            Assert.Contains("40 rows", Run("verify", set, "--parquet", library));
            Assert.Contains("40", Run("list", _folder.At("."), "--parquet", library));
            Run("merge", set, "--out", _folder.At($"merged-{library}"), "--parquet", library);
            Run("export", _folder.At($"merged-{library}"), "--format", "npy", "--out", _folder.At(library), "--parquet", library);
        }

        Assert.Equal(shown[0], shown[1]);
        Assert.Equal(File.ReadAllBytes(_folder.At("parquetsharp.npy")), File.ReadAllBytes(_folder.At("parquet-net.npy")));
        Assert.Equal(File.ReadAllBytes(_folder.At("parquetsharp.csv")), File.ReadAllBytes(_folder.At("parquet-net.csv")));
        Assert.Contains("same", Run("drift", _folder.At("merged-parquetsharp"), set, "--parquet", "parquet-net"));
    }

    private static string Run(params string[] arguments)
    {
        var result = TransferProcess.Run(["features", .. arguments]);
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output;
    }
}
