namespace TransferPipeline.Tests.Cli;

/// <summary>A labels.csv beside a folder of photos, from extraction to the classifier, also after a move.</summary>
public sealed class CsvJobTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Labels_InACsv_AreEnoughForEveryCommand()
    {
        var lines = new List<string> { "id,breed" };
        foreach (
            var (label, photo) in new[] { "hat", "shoes" }.SelectMany(l => SamplePhotos.Photos("train", l).Take(8).Select(p => (l, p)))
        )
        {
            File.Copy(photo, _folder.At("dogs", "train", $"{lines.Count}.jpg"));
            lines.Add($"{lines.Count},{label}");
        }

        File.WriteAllLines(_folder.At("dogs", "labels.csv"), lines);
        Succeeds(
            "extract",
            "--data",
            "dogs/labels.csv",
            "--folder",
            "dogs/train",
            "--extension",
            "jpg",
            "--model",
            "efficientnet-lite0",
            "--out",
            "set"
        );
        Assert.Contains(
            "replayed 16 photos",
            Succeeds("train", "--features", "set", "--head", "ridge", "--out", "c.onnx").Output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            "without pictures",
            Succeeds("compare", "--features", "set", "--heads", "ridge", "--report", "report.html").Error,
            StringComparison.Ordinal
        );
        Assert.True(new FileInfo(_folder.At("report.html")).Length > 60_000, "the page has no thumbnails");

        Directory.CreateDirectory(_folder.At("elsewhere"));
        Directory.Move(_folder.At("dogs", "train"), _folder.At("elsewhere", "train"));
        var without = Succeeds("train", "--features", "set", "--head", "ridge", "--out", "c.onnx");
        Assert.StartsWith(
            "warning: goes on without the photos: dogs/train: there is no such folder",
            without.Error,
            StringComparison.Ordinal
        );
        Assert.Contains("none was replayed", without.Output, StringComparison.Ordinal);
        Assert.Contains(
            "replayed 16 photos",
            Succeeds("train", "--features", "set", "--head", "ridge", "--out", "c.onnx", "--data", "elsewhere/train").Output,
            StringComparison.Ordinal
        );

        File.Move(_folder.At("dogs", "labels.csv"), _folder.At("elsewhere", "labels.csv"));
        Assert.Contains(
            "replayed 16 photos",
            Succeeds("train", "--features", "set", "--head", "ridge", "--out", "c.onnx", "--data", "elsewhere/labels.csv").Output,
            StringComparison.Ordinal
        );
    }

    private TransferResult Succeeds(params string[] arguments)
    {
        var result = TransferProcess.RunIn(_folder.Root, null, arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        return result;
    }
}
