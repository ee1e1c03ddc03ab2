using System.Formats.Tar;
using System.IO.Compression;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Tests.Datasets;

namespace TransferPipeline.Tests.Extraction;

/// <summary>
/// The same real photos as a folder, a CSV file, tar files and Hugging Face Parquet files, all with one time of last write.
/// </summary>
public sealed class DatasetFormsTests : IDisposable
{
    private static readonly DateTime Time = new(2024, 5, 6, 7, 8, 9, DateTimeKind.Utc);

    private readonly TestExtraction _extraction = new(3, "dress", "hat", "shoes");
    private readonly PhotoEntry[] _entries;

    public DatasetFormsTests()
    {
        foreach (var file in Directory.GetFiles(_extraction.Photos, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, Time);
        using var folder = _extraction.OpenDataset();
        _entries = [.. folder.Entries];
    }

    public void Dispose() => _extraction.Dispose();

    [Theory]
    [InlineData("csv")]
    [InlineData("tar")]
    [InlineData("tar.gz")]
    [InlineData("parquet")]
    public void Run_AnotherFormOfThePhotos_WritesTheSameBytes(string form)
    {
        var expected = Extract(new() { Path = _extraction.Photos }, "folder");
        var actual = Extract(Make(form), form);

        Assert.Equal(18, expected.Manifest.Rows);
        Assert.Equal(expected.Manifest.Parts, actual.Manifest.Parts);
        foreach (var part in expected.Manifest.Parts)
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(expected.Folder, part.File)),
                File.ReadAllBytes(Path.Combine(actual.Folder, part.File))
            );
        var same = actual.Manifest with { Dataset = expected.Manifest.Dataset, DatasetOptions = null, Cost = expected.Manifest.Cost };
        Assert.Equal(expected.Manifest.ToJson(), same.ToJson());
    }

    [Fact]
    public void Run_ParquetWithoutPathsOrTimes_DiffersInThoseColumnsAlone()
    {
        var parquet = MakeParquet(paths: false);
        foreach (var file in Directory.GetFiles(parquet.Path))
            File.SetLastWriteTimeUtc(file, Time.AddHours(1));

        var expected = Extract(new() { Path = _extraction.Photos }, "folder").Load();
        var actual = Extract(parquet, "parquet").Load();

        Assert.Equal("train-00000-of-00001.parquet#0", actual.Rows[0].Path);
        Assert.All(actual.Rows, r => Assert.NotEqual(expected.Rows[0].Mtime, r.Mtime));
        TestExtraction.AssertSame(
            expected,
            new()
            {
                X = actual.X,
                Y = actual.Y,
                Classes = actual.Classes,
                Rows = [.. actual.Rows.Select((r, i) => r with { Path = expected.Rows[i].Path, Mtime = expected.Rows[i].Mtime })],
            }
        );
    }

    [Theory]
    [InlineData("tar")]
    [InlineData("parquet")]
    public void Run_AfterThePhotosWerePacked_ComputesNothing(string form)
    {
        Extract(new() { Path = _extraction.Photos }, "set");
        var packed = Make(form);
        using var dataset = DatasetReader.Open(packed, TestTable.Photos());

        var result = _extraction.Run(Job(dataset, "set"), _extraction.Options);

        Assert.Equal((0, 18), (result.Computed, result.Reused));
    }

    private FeatureSet Extract(DatasetOptions options, string set)
    {
        using var dataset = DatasetReader.Open(options, TestTable.Photos());
        var result = _extraction.Run(Job(dataset, set), _extraction.Options with { RowsPerPart = 7 });
        Assert.Equal(0, result.Failed);
        return FeatureSet.Open(result.Folder, _extraction.Table);
    }

    private ExtractionSpec Job(Dataset dataset, string set)
    {
        var job = _extraction.Job(dataset);
        return job with { Outputs = [job.Outputs[0] with { Folder = _extraction.At("sets", set) }] };
    }

    private DatasetOptions Make(string form) =>
        form switch
        {
            "csv" => MakeCsv(),
            "parquet" => MakeParquet(paths: true),
            _ => MakeTar(form),
        };

    private DatasetOptions MakeCsv()
    {
        var file = _extraction.At("labels.csv");
        File.WriteAllLines(file, ["id,breed,split", .. _entries.Select(e => $"{e.Path[..^4]},{e.Label},{e.Split}")]);
        return new()
        {
            Path = file,
            Folder = _extraction.Photos,
            Extension = ".jpg",
        };
    }

    private DatasetOptions MakeTar(string form)
    {
        var file = _extraction.At("photos." + form);
        using var target = File.Create(file);
        using Stream stream = form == "tar" ? target : new GZipStream(target, CompressionLevel.Fastest);
        using var writer = new TarWriter(stream, TarEntryFormat.Pax);

        // An archive need not be in order.
        foreach (var entry in _entries.Reverse())
            writer.WriteEntry(Path.Combine(_extraction.Photos, entry.Path), "./photos/" + entry.Path);
        return new() { Path = file };
    }

    private DatasetOptions MakeParquet(bool paths)
    {
        var folder = Path.GetDirectoryName(_extraction.At("parquet", "x"))!;
        foreach (var split in _entries.Select(e => e.Split).Distinct())
        {
            var file = Path.Combine(folder, split + "-00000-of-00001.parquet");
            HuggingFaceFiles.Write(file, _extraction.Photos, split, paths);
            File.SetLastWriteTimeUtc(file, Time);
        }

        return new() { Path = folder };
    }
}
