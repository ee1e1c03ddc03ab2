using TransferPipeline.DuckDb;
using TransferPipeline.Features;
using TransferPipeline.Tests.Features;

namespace TransferPipeline.Tests.DuckDb;

public sealed class DuckDbTableTests : FeatureTableSuite
{
    protected override string Library => "DuckDB";

    protected override IFeatureTable Create() => new DuckDbTable();
}

public sealed class DuckDbByHyparquetTests : HyparquetSuite
{
    protected override IFeatureTable Create() => new DuckDbTable();
}
