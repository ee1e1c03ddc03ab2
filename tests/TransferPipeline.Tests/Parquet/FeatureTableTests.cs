using TransferPipeline.Features;
using TransferPipeline.ParquetNet;
using TransferPipeline.ParquetSharp;
using TransferPipeline.Tests.Features;

namespace TransferPipeline.Tests.Parquet;

public sealed class ParquetSharpTableTests : FeatureTableSuite
{
    protected override string Library => "ParquetSharp";

    protected override IFeatureTable Create() => new ParquetSharpTable();
}

public sealed class ParquetNetTableTests : FeatureTableSuite
{
    protected override string Library => "Parquet.Net";

    protected override bool ReadsListsInPagesOfVersion2 => false;

    protected override IFeatureTable Create() => new ParquetNetTable();
}
