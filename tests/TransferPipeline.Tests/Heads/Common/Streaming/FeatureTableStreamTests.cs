using TransferPipeline.Features;
using TransferPipeline.Heads.Common;
using TransferPipeline.Tests.Features;

namespace TransferPipeline.Tests.Heads.Common.Streaming;

public sealed class FeatureTableStreamTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly IFeatureTable _table = TestTable.Create();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(64)]
    [InlineData(300)]
    [InlineData(5000)]
    public void Read_PartsOfAnyLength_GivesTheRowsOfASplitInOrder(int blockRows)
    {
        var (files, rows, expected) = Write(700, 1, 299, 300);
        var stream = SampleStream.Open(_table, files, blockRows);
        Assert.Equal(rows.Where(r => r.Split == "train").Select(r => r.Label == "shoes" ? 1 : 0), stream.Labels);
        for (var pass = 0; pass < 2; pass++)
        {
            var found = new List<float>();
            stream.Read(
                (vectors, first, count) =>
                {
                    Assert.Equal(found.Count / 5, first);
                    found.AddRange(vectors.Data.AsSpan(0, count * 5));

                    // As scaling does.
                    vectors.Data.AsSpan().Clear();
                }
            );
            Assert.Equal(expected, found);
        }
    }

    [Theory]
    [InlineData(1, 4096)]
    [InlineData(1280, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 4095)]
    [InlineData(25_088, 668)]
    [InlineData(62_720, 267)]
    [InlineData(1 << 30, 1)]
    public void RowsOfBlock_LongVectors_AreFewer(int columns, int rows) => Assert.Equal(rows, FeatureTableStream.RowsOfBlock(columns));

    [Fact]
    public void Read_CallerThatThrows_EndsAtOnceAndCanBeginAgain()
    {
        var (files, _, expected) = Write(900, 900);
        var stream = SampleStream.Open(_table, files, 100);
        var error = Assert.Throws<InvalidOperationException>(() =>
            stream.Read(
                (_, first, _) =>
                {
                    if (first > 100)
                        throw new InvalidOperationException("enough");
                }
            )
        );
        Assert.Equal("enough", error.Message);
        var found = 0;
        stream.Read((_, _, count) => found += count);
        Assert.Equal(expected.Length / 5, found);
    }

    [Fact]
    public void Read_SetThatChanged_SaysSo()
    {
        var (files, _, _) = Write(300, 300);
        var stream = SampleStream.Open(_table, files, 100);
        var (rows, vectors) = Samples.Make(200, 5);
        _table.Write(files[1], rows, vectors);
        Assert.StartsWith(
            "the feature set changed while it was read",
            Assert.Throws<JobFailedException>(() => stream.Read((_, _, _) => { })).Message
        );
        File.WriteAllText(files[1], "no Parquet");
        Assert.Contains("cannot be read as Parquet", Assert.Throws<BadInputException>(() => stream.Read((_, _, _) => { })).Message);
    }

    private (string[] Files, List<FeatureRow> Rows, float[] Train) Write(params int[] counts)
    {
        var (files, all, train) = (new string[counts.Length], new List<FeatureRow>(), new List<float>());
        for (var p = 0; p < counts.Length; p++)
        {
            var (rows, vectors) = Samples.Make(counts[p], 5, p);
            _table.Write(files[p] = _folder.At($"{p}.parquet"), rows, vectors);
            all.AddRange(rows);
            for (var i = 0; i < rows.Count; i++)
            {
                if (rows[i].Split == "train")
                    train.AddRange(vectors.Row(i));
            }
        }

        return (files, all, [.. train]);
    }
}
