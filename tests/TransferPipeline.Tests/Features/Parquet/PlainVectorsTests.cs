using System.Runtime.InteropServices;
using TransferPipeline.Features;
using TransferPipeline.Features.Parquet;

namespace TransferPipeline.Tests.Features.Parquet;

public sealed class PlainVectorsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(300, 24)]
    [InlineData(3, 3000)]
    public void Open_OfDamagedFiles_FindsTheVectorsOrNone(int rows, int columns)
    {
        var file = _folder.At("part.parquet");
        var (written, vectors) = Samples.Make(rows, columns);
        TestTable.Create().Write(file, written, vectors);
        var whole = File.ReadAllBytes(file);
        var (start, length) = (whole.AsSpan().IndexOf(MemoryMarshal.AsBytes(vectors.Data.AsSpan())), sizeof(float) * rows * columns);
        Assert.True(start > 0);

        // Other floats are valid; the other columns' values before the page of the vectors are of no concern.
        var random = new Random(3);
        var (refused, read) = (0, 0);
        using var damaged = File.OpenHandle(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        foreach (var at in Enumerable.Range(0, whole.Length).Where(at => at > start - 2000 && (at < start || at >= start + length)))
        {
            var value = (byte)(whole[at] ^ random.Next(1, 256));
            RandomAccess.Write(damaged, [value], at);
            var found = new FeatureMatrix(rows, columns);
            if (PlainVectors.ReadInto(file, found, 0) is { } count)
            {
                read++;
                Assert.True(rows == count, $"{count} rows with byte {at} of {whole.Length} changed from {whole[at]} to {value}");
                Assert.Equal(vectors.Data, found.Data);
            }
            else
            {
                refused++;
            }

            RandomAccess.Write(damaged, [whole[at]], at);
        }

        Assert.InRange(refused, 50, whole.Length);
        Assert.InRange(read, 50, whole.Length);
        for (var kept = 0; kept < whole.Length; kept += Math.Max(1, whole.Length / 200))
            Assert.Null(PlainVectors.Open(_folder.Write("short.parquet", whole[..kept]), columns));
    }

    [Fact]
    public void Open_OfNoFileOrVectorsOfAnotherLength_FindsNone()
    {
        var file = _folder.At("part.parquet");
        var (written, vectors) = Samples.Make(20, 8);
        TestTable.Create().Write(file, written, vectors);
        Assert.NotNull(PlainVectors.Open(file, 8));
        Assert.Null(PlainVectors.Open(file, 4));
        Assert.Null(PlainVectors.Open(file, 16));
        Assert.Null(PlainVectors.Open(file + ".no", 8));
        Assert.Null(PlainVectors.Open(_folder.Root, 8));
        Assert.Null(PlainVectors.ReadInto(file, new FeatureMatrix(19, 8), 0));
    }
}
