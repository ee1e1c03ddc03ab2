using System.Diagnostics;
using TransferPipeline.Tests.Datasets;

namespace TransferPipeline.Tests.Features;

/// <summary>Runs while no other test does: it watches the process's memory.</summary>
[CollectionDefinition(nameof(FeatureTableMemoryTests), DisableParallelization = true)]
[Collection(nameof(FeatureTableMemoryTests))]
public sealed class FeatureTableMemoryTests
{
    [Theory]
    [InlineData("snappy")]
    [InlineData("uncompressed")]
    public void ReadBlocks_OfALargeFile_StaysInBoundedMemory(string compression)
    {
        // 60,000 x 1,280 are 307 MB: a reader that holds it all would show.
        using var folder = new TempFolder();
        var file = folder.At("large.parquet");
        HuggingFaceFiles.Run(
            "COPY (SELECT i || '.jpg' AS path, 'a' AS label, 'train' AS split, 0 AS view, '' AS image_sha256, i AS bytes, i AS mtime, 1 AS width, 1 AS height, "
            + $"(SELECT list((1 / (1 + j))::FLOAT) FROM range(1280) v(j)) AS vector FROM range(60000) t(i)) TO '{file}' (FORMAT parquet, COMPRESSION {compression}, ROW_GROUP_SIZE 2048)");
        GC.Collect();
        var before = Resident();
        var (most, seen) = (0L, 0);
        var block = new FeatureMatrix(1024, 1280);
        var left = TestTable.Create().ReadBlocks(file, block, 0, () =>
        {
            seen += block.Rows;
            if (seen % 8192 != 0)
                return;

            // What waits for the collector is not held.
            GC.Collect();
            most = Math.Max(most, Resident());
        });
        seen += left;
        Assert.Equal(60_000, seen);
        Assert.True(most - before < 200L << 20, $"{(most - before) >> 20} MB");
    }

    private static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
