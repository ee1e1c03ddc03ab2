using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Jobs;
using TransferPipeline.Tests.Extraction;
using TransferPipeline.Tests.Features;

namespace TransferPipeline.Tests.Heads.Common.Streaming;

public sealed class OrderedStreamTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly IFeatureTable _table = TestTable.Create();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_PartsInAnyOrder_GivesTheBlocksOfOrderedParts()
    {
        var (rows, vectors) = Samples.Make(700, 5);
        var inOrder = Write("ordered", rows, vectors, [.. Enumerable.Range(0, 700)]);
        var shuffled = Enumerable.Range(0, 700).ToArray();
        // Stretches and single rows, as extractions that were interrupted and photos that were added leave them.
        new Random(3).Shuffle(shuffled.AsSpan(200, 300));
        using var stream = new OrderedStream(Write("shuffled", rows, vectors, shuffled), shuffled, _folder.At("scratch"));
        Assert.True(OrderedStream.IsNeeded(shuffled));
        Assert.False(OrderedStream.IsNeeded([0, 1, 5]));
        Assert.Equal(inOrder.Labels, stream.Labels);
        var expected = SampleStream.Blocks(inOrder);
        for (var pass = 0; pass < 2; pass++)
            Assert.Equal(expected, SampleStream.Blocks(stream), (a, b) => a.First == b.First && a.Values.AsSpan().SequenceEqual(b.Values));
        var photo = rows.Where(r => r.Split == "train").ElementAt(250).Path;
        Assert.Contains(photo, stream.NameOf(250), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.At("scratch")));
    }

    /// <summary>Photos that were added between others lie in the last part.</summary>
    [Fact]
    public void StreamedTraining_OfASetOfSeveralRuns_GivesTheWeightsOfOneRun()
    {
        using var extraction = new TestExtraction(4);
        extraction.Run();
        var once = Train(extraction, out var warnings);
        Assert.Empty(warnings);
        var added = Directory.GetFiles(extraction.Photos, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        foreach (var photo in added.Where((_, i) => i % 3 == 1))
            File.Move(photo, photo + ".away");
        Directory.Delete(extraction.Set, recursive: true);
        extraction.Run();
        foreach (var photo in added.Where((_, i) => i % 3 == 1))
            File.Move(photo + ".away", photo);
        extraction.Run();
        Assert.True(OrderedStream.IsNeeded([.. extraction.Open().Ranks.SelectMany(part => part)]));
        Assert.Equal(once, Train(extraction, out warnings));
        Assert.Empty(warnings);
    }

    private static float[] Train(TestExtraction extraction, out List<string> warnings)
    {
        var said = warnings = [];
        var context = new TrainingContext { Warn = said.Add };
        var set = extraction.Open();
        var head = (LinearHead)StreamedTraining.Run(set, extraction.Table, new Softmax(), extraction.At("scratch"), context).Head;
        var ridge = (LinearHead)StreamedTraining.Run(set, extraction.Table, new Ridge(), extraction.At("scratch"), context).Head;
        return [.. head.Weights, .. head.Bias, .. ridge.Weights, .. ridge.Bias];
    }

    private FeatureTableStream Write(string name, List<FeatureRow> rows, FeatureMatrix vectors, int[] order)
    {
        // Two parts that end beside a block's end.
        string[] files = [_folder.At($"{name}-0.parquet"), _folder.At($"{name}-1.parquet")];
        foreach (var (file, part) in files.Zip([order[..299], order[299..]]))
            _table.Write(file, [.. part.Select(row => rows[row])], vectors.Select(part));
        return SampleStream.Open(_table, files, 64);
    }
}
