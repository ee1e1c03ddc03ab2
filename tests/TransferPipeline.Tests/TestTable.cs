using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.Tests;

/// <summary>The default Parquet library.</summary>
internal static class TestTable
{
    public static IFeatureTable Create() => DefaultTools.Create().Table;

    public static IPhotoTable Photos() => DefaultTools.Create().PhotoTable;
}
