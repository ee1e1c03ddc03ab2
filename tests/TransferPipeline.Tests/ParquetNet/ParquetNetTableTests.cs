using TransferPipeline.Features;
using TransferPipeline.ParquetNet;
using TransferPipeline.Tests.Features;

namespace TransferPipeline.Tests.ParquetNet;

public sealed class ParquetNetTableTests : FeatureTableSuite
{
    protected override string Library => "Parquet.Net";

    protected override IFeatureTable Create() => new ParquetNetTable();
}

#if NPM_NATIVES
public sealed class ParquetNetByHyparquetTests : HyparquetSuite
{
    protected override IFeatureTable Create() => new ParquetNetTable();
}
#endif
