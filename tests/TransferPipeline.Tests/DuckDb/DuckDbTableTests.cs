using TransferPipeline.DuckDb;
using TransferPipeline.Features;

namespace TransferPipeline.Tests.DuckDb;

public sealed class DuckDbTableTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly DuckDbTable _table = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 8)]
    [InlineData(1, 1)]
    [InlineData(7, 1280)]
    [InlineData(2048, 3)]
    [InlineData(5000, 96)]
    public void Write_ThenRead_GivesTheSameRowsAndVectors(int rows, int columns)
    {
        var file = _folder.At("part.parquet");
        var (written, vectors) = Samples.Make(rows, columns);
        _table.Write(file, written, vectors);

        var read = new FeatureMatrix(rows + 2, columns);
        read.Data.AsSpan().Fill(-1);
        Assert.Equal(rows, _table.ReadVectors(file, read, 1));
        Assert.Equal(written, _table.ReadRows(file));
        Assert.Equal(vectors.Data.AsSpan(0, rows * columns), read.Data.AsSpan(columns, rows * columns));
        Assert.All(read.Row(0).ToArray().Concat(read.Row(rows + 1).ToArray()), value => Assert.Equal(-1, value));
    }
}
