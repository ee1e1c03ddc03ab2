using TransferPipeline.Features;
using TransferPipeline.ParquetNet;
using TransferPipeline.Tests.Features;

namespace TransferPipeline.Tests.ParquetNet;

public sealed class ParquetNetTableTests : FeatureTableSuite
{
    protected override string Library => "Parquet.Net";

    protected override IFeatureTable Create() => new ParquetNetTable();
}
