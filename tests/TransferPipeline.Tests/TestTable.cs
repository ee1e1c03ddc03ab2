using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.Tests;

/// <summary>The Parquet adapter of the package set that is built.</summary>
internal static class TestTable
{
    public static IFeatureTable Create() =>
#if CARD
        new TransferPipeline.ParquetNet.ParquetNetTable();
#else
        new TransferPipeline.DuckDb.DuckDbTable();
#endif

    public static IPhotoTable Photos() => (IPhotoTable)Create();
}
