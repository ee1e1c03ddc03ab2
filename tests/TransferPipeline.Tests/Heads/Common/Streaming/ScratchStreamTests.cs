using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads.Common.Streaming;

public sealed class ScratchStreamTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_Again_GivesTheSameBlocksWithoutTheSource()
    {
        var source = new CountingStream();
        using var stream = new ScratchStream(source, _folder.At("made"), w => Assert.Fail(w));
        var first = SampleStream.Blocks(stream);
        Assert.Equal([(0, 400), (400, 400), (800, 200)], first.Select(b => (b.First, b.Values.Length / 7)));
        for (var pass = 0; pass < 2; pass++)
            Assert.Equal(first, SampleStream.Blocks(stream), (a, b) => a.First == b.First && a.Values.AsSpan().SequenceEqual(b.Values));
        Assert.Equal(1, source.Readings);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.At("made")));
    }

    [Fact]
    public void Read_AfterAReadingThatBroke_StartsAnew()
    {
        var source = new CountingStream();
        using var stream = new ScratchStream(source, _folder.Root, w => Assert.Fail(w));
        Assert.Throws<OperationCanceledException>(() =>
            stream.Read(
                (_, first, _) =>
                {
                    if (first > 0)
                        throw new OperationCanceledException();
                }
            )
        );
        Assert.Equal(SampleStream.Blocks(source).SelectMany(b => b.Values), SampleStream.Blocks(stream).SelectMany(b => b.Values));
        Assert.Equal(SampleStream.Blocks(source).SelectMany(b => b.Values), SampleStream.Blocks(stream).SelectMany(b => b.Values));
    }

    [Fact]
    public void Read_WhereNoFileCanBeWritten_WarnsOnceAndReadsTheSource()
    {
        var source = new CountingStream();
        var warnings = new List<string>();
        using var stream = new ScratchStream(source, _folder.Write("file", "no folder"), warnings.Add);
        Assert.Equal(SampleStream.Blocks(stream).SelectMany(b => b.Values), SampleStream.Blocks(stream).SelectMany(b => b.Values));
        Assert.Equal(2, source.Readings);
        Assert.Contains("cannot be written to", Assert.Single(warnings));
    }

    private sealed class CountingStream : IRowStream
    {
        public int Readings { get; private set; }

        public int Columns => 7;

        public IReadOnlyList<int> Labels { get; } = new int[1000];

        public void Read(Action<FeatureMatrix, int, int> block)
        {
            Readings++;
            var matrix = new FeatureMatrix(400, 7);
            for (var first = 0; first < 1000; first += 400)
            {
                for (var i = 0; i < matrix.Data.Length; i++)
                    matrix.Data[i] = first * 7 + i;
                block(matrix, first, Math.Min(400, 1000 - first));
            }
        }
    }
}
