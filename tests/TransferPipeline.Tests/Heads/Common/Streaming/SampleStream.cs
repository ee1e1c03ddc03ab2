using TransferPipeline.Features;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads.Common.Streaming;

/// <summary>Vectors in blocks.</summary>
internal static class SampleStream
{
    public const int Columns = 5;

    /// <summary>The training rows of <see cref="Features.Samples"/>, shoes against the rest.</summary>
    public static FeatureTableStream Open(IFeatureTable table, string[] files, int blockRows) =>
        new(table, files, (label, split) => split == "train" ? (label == "shoes" ? 1 : 0) : -1, Columns, blockRows);

    /// <summary>All blocks of a stream; changes each as scaling does.</summary>
    public static List<(int First, float[] Values)> Blocks(IRowStream stream)
    {
        var blocks = new List<(int, float[])>();
        stream.Read(
            (block, first, count) =>
            {
                blocks.Add((first, block.Data[..(count * block.Columns)]));
                block.Data.AsSpan().Fill(-1);
            }
        );
        return blocks;
    }
}
