using TransferPipeline.Features;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads.Common.Streaming;

/// <summary>The training rows of <see cref="Features.Samples"/> of five values, shoes against the rest, read in blocks.</summary>
internal static class SampleStream
{
    public const int Columns = 5;

    public static FeatureTableStream Open(IFeatureTable table, string[] files, int blockRows) =>
        new(table, files, (label, split) => split == "train" ? (label == "shoes" ? 1 : 0) : -1, Columns, blockRows);
}
