#if NPM_NATIVES
using TransferPipeline.Datasets;
using TransferPipeline.DuckDb;
using TransferPipeline.Features;
using TransferPipeline.ParquetNet;
using TransferPipeline.Tests.Features;

namespace TransferPipeline.Tests.ParquetNet;

/// <summary>A feature set is one format: what one library wrote, the other reads with equal values and types.</summary>
public sealed class BothTablesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 1)]
    [InlineData(3068, 1280)]
    public void Part_WrittenByOneLibrary_IsReadByTheOther(int rows, int columns)
    {
        var (written, vectors) = Samples.Make(rows, columns);
        IFeatureTable[] tables = [new DuckDbTable(), new ParquetNetTable()];
        foreach (var writer in tables)
        {
            var file = _folder.At($"{writer.GetType().Name}.parquet");
            writer.Write(file, written, vectors);
            var reader = tables.Single(t => t != writer);
            var read = new FeatureMatrix(rows, columns);
            Assert.Equal(rows, reader.ReadVectors(file, read, 0));
            Assert.Equal(written, reader.ReadRows(file));
            Assert.True(vectors.Data.AsSpan(0, rows * columns).SequenceEqual(read.Data.AsSpan(0, rows * columns)));
            Assert.Equal(((IPhotoTable)writer).Describe(file).Columns, ((IPhotoTable)reader).Describe(file).Columns);
        }

        Assert.Equal(
            ((IPhotoTable)tables[0]).Describe(_folder.At("DuckDbTable.parquet")).Columns,
            ((IPhotoTable)tables[0]).Describe(_folder.At("ParquetNetTable.parquet")).Columns);
    }

    [Fact]
    public void FailedRows_WrittenByOneLibrary_AreReadByTheOther()
    {
        FailedRow[] rows = [.. Enumerable.Range(0, 50).Select(i => new FailedRow($"a/{i}.jpg", "a", "train", "", i, -i, $"größe {i}"))];
        IFeatureTable[] tables = [new DuckDbTable(), new ParquetNetTable()];
        foreach (var writer in tables)
        {
            var file = _folder.At($"{writer.GetType().Name}.parquet");
            writer.WriteFailed(file, rows);
            Assert.Equal(rows, tables.Single(t => t != writer).ReadFailed(file));
        }
    }

    [Fact]
    public void PhotosOfTheDatasetsLibrary_AreTheSameByBoth()
    {
        var file = SharedData.RequireReference("hf-clothing-mini.parquet");
        var (duck, net) = ((IPhotoTable)new DuckDbTable(), (IPhotoTable)new ParquetNetTable());
        var (expected, actual) = (duck.Describe(file), net.Describe(file));
        Assert.Equal(expected.Columns, actual.Columns);
        Assert.Equal(expected.Rows, actual.Rows);
        Assert.Equal(expected.Metadata["huggingface"], actual.Metadata["huggingface"]);
        Assert.Equal(duck.ReadIndex(file, "image", "label"), net.ReadIndex(file, "image", "label"));
        Assert.Equal(duck.ReadPhotos(file, "image", 7, 20), net.ReadPhotos(file, "image", 7, 20));
    }
}
#endif
