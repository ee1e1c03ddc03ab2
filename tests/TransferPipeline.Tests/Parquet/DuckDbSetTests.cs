using TransferPipeline.Features;
using TransferPipeline.ParquetNet;
using TransferPipeline.ParquetSharp;
using TransferPipeline.Tests.Extraction;

namespace TransferPipeline.Tests.Parquet;

/// <summary>
/// A feature set that an earlier version of this program wrote with DuckDB: eight photos of the sample and one that is none.
/// </summary>
public sealed class DuckDbSetTests : IDisposable
{
    private readonly TestExtraction _extraction = new(2, "dress", "hat");

    public DuckDbSetTests()
    {
        var old = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Parquet", "duckdb-set");
        Directory.CreateDirectory(_extraction.Set);
        foreach (var file in Directory.GetFiles(old))
            File.Copy(file, Path.Combine(_extraction.Set, Path.GetFileName(file)));
        File.WriteAllText(Path.Combine(_extraction.Photos, "train", "hat", "broken.jpg"), "no photo\n");
    }

    public static TheoryData<string> Libraries => ["ParquetSharp", "Parquet.Net"];

    public void Dispose() => _extraction.Dispose();

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Set_IsReadAndVerified(string library)
    {
        var set = FeatureSet.Open(_extraction.Set, Table(library));
        Assert.Empty(set.Verify().Problems);

        var data = set.Load();
        Assert.Equal(8, data.Rows.Count);
        using var photos = _extraction.OpenDataset();
        var usable = photos
            .Entries.Select((entry, i) => (entry, i))
            .Where(p => !p.entry.Path.EndsWith("broken.jpg", StringComparison.Ordinal))
            .ToList();
        Assert.Equal(usable.Select(p => (p.entry.Path, p.entry.Label, p.entry.Split)), data.Rows.Select(r => (r.Path, r.Label, r.Split)));
        Assert.Equal(usable.Select(p => photos.Stamp(p.i).Bytes), data.Rows.Select(r => r.Bytes));
        Assert.All(data.Rows, row => Assert.Equal((64, 0), (row.ImageSha256.Length, row.View)));
        var failed = Assert.Single(set.LoadFailed());
        Assert.Equal(("train/hat/broken.jpg", 9L), (failed.Path, failed.Bytes));
        Assert.StartsWith("not an image", failed.Reason);
    }

    /// <summary>The same photos extracted now have the same vectors, bit for bit.</summary>
    [Theory]
    [MemberData(nameof(Libraries))]
    public void Vectors_AreThoseOfThePhotos(string library)
    {
        var old = FeatureSet.Open(_extraction.Set, Table(library)).Load();
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset);
        var result = _extraction.Run(
            job with
            {
                Table = Table(library),
                Outputs = [job.Outputs[0] with { Folder = _extraction.At("new") }],
            },
            _extraction.Options with
            {
                MaxFailedShare = 0.5,
            }
        );
        Assert.Equal((8, 0), (result.Computed, result.Reused));
        var now = FeatureSet.Open(result.Folder, Table(library)).Load();
        Assert.Equal(old.X.Data.AsSpan(0, 8 * 1280), now.X.Data.AsSpan(0, 8 * 1280));
        Assert.Equal(old.Rows.Select(r => r.ImageSha256), now.Rows.Select(r => r.ImageSha256));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Set_IsExtendedByThePhotosThatAreNew(string library)
    {
        using var more = new TestExtraction(4, "dress", "hat", "shoes");
        using var dataset = more.OpenDataset();
        var before = FeatureSet.Open(_extraction.Set, Table(library)).Load();
        var job = more.Job(dataset);
        var result = more.Run(
            job with
            {
                Table = Table(library),
                Outputs = [job.Outputs[0] with { Folder = _extraction.Set }],
            },
            more.Options
        );

        Assert.Equal((16, 8), (result.Computed, result.Reused));
        Assert.Equal(_extraction.Set, result.Folder);
        var set = FeatureSet.Open(result.Folder, Table(library));
        Assert.Empty(set.Verify().Problems);
        var after = set.Load();
        Assert.Equal(24, after.Rows.Count);
        for (var i = 0; i < before.Rows.Count; i++)
            Assert.Equal(before.X.Row(i), after.X.Row(after.Rows.ToList().FindIndex(row => row.Path == before.Rows[i].Path)));
    }

    private static ParquetTable Table(string library) => library == "ParquetSharp" ? new ParquetSharpTable() : new ParquetNetTable();
}
