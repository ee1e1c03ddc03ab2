using ParquetSharp;

namespace TransferPipeline.Tests.Features;

/// <summary>Blocks are read in a process of its own, whose peak other tests cannot raise.</summary>
public sealed class FeatureTableMemoryTests
{
    private const int Columns = 1280;
    private const int GroupRows = 3000;
    private const int Groups = 20;

    [Theory]
    [InlineData("parquetsharp", Compression.Snappy, 1)]
    [InlineData("parquetsharp", Compression.Uncompressed, 1)]
    [InlineData("parquetsharp", Compression.Uncompressed, Groups)]
    [InlineData("parquet-net", Compression.Uncompressed, 1)]
    public void ReadBlocks_OfALargeFile_StaysInBoundedMemory(string library, Compression compression, int groupsInOne)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("needs /proc/self/status");

        // 60,000 x 1,280 are 307 MB: a reader that holds it all would show.
        using var folder = new TempFolder();
        var file = folder.At("large.parquet");
        var vector = Enumerable.Range(0, Columns).Select(i => (float?)(1f / (1 + i))).ToArray();
        TypedParquet.Write(
            file,
            [TypedParquet.Lists("vector", [.. Enumerable.Repeat(vector, GroupRows * groupsInOne)])],
            settings => settings.Compression(compression).DisableDictionary(),
            repeat: Groups / groupsInOne
        );

        var (rows, peak) = ChildReading.Start(library, file, Columns);

        Assert.Equal(GroupRows * Groups, rows);
        Assert.True(peak < 250L << 20, $"{peak >> 20} MB");
    }
}
