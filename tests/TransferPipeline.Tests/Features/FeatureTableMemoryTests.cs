#if NPM_NATIVES
using System.Diagnostics;
using TransferPipeline.Tests.Datasets;

namespace TransferPipeline.Tests.Features;

/// <summary>Runs while no other test does: it watches the process's memory.</summary>
[CollectionDefinition(nameof(FeatureTableMemoryTests), DisableParallelization = true)]
[Collection(nameof(FeatureTableMemoryTests))]
public sealed class FeatureTableMemoryTests
{
    [Fact]
    public void ReadBlocks_OfALargeFile_StaysInBoundedMemory()
    {
        // 60,000 x 1,280 are 307 MB: a reader that holds it all would show.
        using var folder = new TempFolder();
        var file = folder.At("large.parquet");
        HuggingFaceFiles.Run(
            "COPY (SELECT i || '.jpg' AS path, 'a' AS label, 'train' AS split, 0 AS view, '' AS image_sha256, i AS bytes, i AS mtime, 1 AS width, 1 AS height, "
            + $"(SELECT list((1 / (1 + j))::FLOAT) FROM range(1280) v(j)) AS vector FROM range(60000) t(i)) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE 2048)");
        GC.Collect();
        var before = Resident();
        var (most, seen) = (0L, 0);
        TestTable.Create().ReadBlocks(file, new(1024, 1280), rows =>
        {
            seen += rows.Count;
            if (seen % 8192 != 0)
                return;

            // What waits for the collector is not held.
            GC.Collect();
            most = Math.Max(most, Resident());
        });
        Assert.Equal(60_000, seen);
        Assert.True(most - before < 200L << 20, $"{(most - before) >> 20} MB");
    }

    private static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
#endif
