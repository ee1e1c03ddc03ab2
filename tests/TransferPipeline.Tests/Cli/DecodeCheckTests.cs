using System.Text.Json.Nodes;

namespace TransferPipeline.Tests.Cli;

/// <summary><c>transfer data check --decode</c> finds bad photos before any work.</summary>
public sealed class DecodeCheckTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void DataCheck_Decode_ListsBadPhotosInOrderWhateverTheThreads()
    {
        var data = SamplePhotos.Copy(_folder.At("data"), 6, "hat", "shoes");
        var cases = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Cases");
        var photo = Directory.GetFiles(Path.Combine(data, "train", "hat")).Order(StringComparer.Ordinal).First();
        File.WriteAllBytes(Path.Combine(data, "train", "hat", "zz-half.jpg"), File.ReadAllBytes(photo)[..2000]);
        foreach (var name in (string[])["pointer.png", "phone.jpg", "scan-sof.jpg"])
            File.Copy(Path.Combine(cases, name), Path.Combine(data, "train", "shoes", "zz-" + name));

        File.WriteAllBytes(Path.Combine(data, "train", "shoes", "zz-empty.jpg"), []);

        var texts = new[] { "1", "4" }
            .Select(threads => TransferProcess.Run("data", "check", "--data", data, "--decode", "--threads", threads, "--json"))
            .ToArray();

        Assert.All(texts, t => Assert.Equal(2, t.ExitCode));
        Assert.Equal(texts[0].Output, texts[1].Output);
        Assert.Equal("5 of 29 photos cannot be used", texts[0].LastErrorLine.Split(": ").Last());
        var problems = JsonNode.Parse(texts[0].Output)!["problems"]!.AsArray().Select(p => $"{p!["path"]}: {p["problem"]}").ToArray();
        Assert.Collection(
            problems,
            p => Assert.Equal("train/shoes/zz-empty.jpg: empty, or a pipe or device", p),
            p => Assert.StartsWith("train/hat/zz-half.jpg: truncated JPEG", p, StringComparison.Ordinal),
            p => Assert.StartsWith("train/shoes/zz-phone.jpg: a HEIF image", p, StringComparison.Ordinal),
            p => Assert.StartsWith("train/shoes/zz-pointer.png: a Git LFS pointer", p, StringComparison.Ordinal),
            p => Assert.StartsWith("train/shoes/zz-scan-sof.jpg: damaged JPEG", p, StringComparison.Ordinal)
        );
        Assert.Equal(0, TransferProcess.Run("data", "check", "--data", SamplePhotos.Folder, "--decode").ExitCode);
        Assert.Equal(0, TransferProcess.Run("data", "check", "--data", data).ExitCode);
    }
}
