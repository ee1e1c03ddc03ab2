using System.Diagnostics;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

public sealed class FolderDatasetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_Hymenoptera_HasImageFoldersCountsAndLeavesTheGifOut()
    {
        using var data = DatasetReader.Open(new DatasetOptions { Path = SharedData.RequireHymenoptera() });

        Assert.Equal(["ants", "bees"], data.Classes);
        Assert.Equal(244, data.Entries.Count(e => e.Split == Splits.Train));
        Assert.Equal(153, data.Entries.Count(e => e.Split == Splits.Validation));
        var problem = Assert.Single(data.Problems);
        Assert.Equal("train/ants/imageNotFound.gif", problem.Path);
        Assert.Contains("ignored file", problem.Problem);
    }

    [Fact]
    public void Open_Hymenoptera_HasTheOrderOfTheReferenceFeatures()
    {
        var files = File.ReadAllLines(SharedData.RequireReference("features-hymenoptera-val-files.txt"));
        using var data = DatasetReader.Open(new DatasetOptions { Path = SharedData.RequireHymenoptera() });

        Assert.Equal(
            files.Select(file => file[file.IndexOf("val/", StringComparison.Ordinal)..]),
            data.Entries.Where(e => e.Split == Splits.Validation).Select(e => e.Path));
    }

    [Fact]
    public void Read_EveryPhoto_GivesTheFileAndItsStamp()
    {
        var root = SharedData.RequireHymenoptera();
        using var data = DatasetReader.Open(new DatasetOptions { Path = root });
        Parallel.For(0, data.Entries.Count, () => Array.Empty<byte>(), (i, _, buffer) =>
        {
            var file = Path.Combine(root, data.Entries[i].Path);
            var length = data.Read(i, ref buffer);
            Assert.Equal(File.ReadAllBytes(file), buffer.AsSpan(0, length).ToArray());
            Assert.Equal(new PhotoStamp(length, (File.GetLastWriteTimeUtc(file).Ticks - DateTime.UnixEpoch.Ticks) * 100), data.Stamp(i));
            return buffer;
        }, _ => { });
    }
}
