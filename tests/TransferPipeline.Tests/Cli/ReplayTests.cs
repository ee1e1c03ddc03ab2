namespace TransferPipeline.Tests.Cli;

/// <summary>A written classifier is tried on photos of the feature set, which may have changed since.</summary>
public sealed class ReplayTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Train_PhotosThatChangedSinceTheExtraction_AreNotReplayed()
    {
        SamplePhotos.Copy(_folder.At("photos"), 3, "dress", "hat");
        Succeeds("extract", "--data", "photos", "--model", "efficientnet-lite0", "--out", "set");
        var photos = Directory.GetFiles(_folder.At("photos"), "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        // Damaged, another photo under the name, gone.
        File.WriteAllText(photos[0], "no photo");
        File.Copy(photos[^1], photos[1], overwrite: true);
        File.Delete(photos[2]);

        var some = Train();
        Assert.Matches(
            "; replayed 9 photos, largest difference of a probability [0-9.e-]+; left out: 2 that changed since the extraction\n",
            some
        );

        foreach (var photo in photos.Skip(3))
            File.WriteAllText(photo, "no photo");
        Assert.EndsWith("; the set's photos have changed since the extraction, so none was replayed\n", Train(), StringComparison.Ordinal);
    }

    private string Train() => Succeeds("train", "--features", "set", "--head", "ridge", "--out", "c.onnx").ReplaceLineEndings("\n");

    private string Succeeds(params string[] arguments)
    {
        var result = TransferProcess.RunIn(_folder.Root, null, arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output;
    }
}
