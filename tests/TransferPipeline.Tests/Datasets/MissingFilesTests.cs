using System.Formats.Tar;
using System.IO.Compression;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Files of a dataset that are missing, empty or there twice: one line each, since nobody would miss their photos.</summary>
public sealed class MissingFilesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(
        "index.json",
        """{"shardlist": [{"url": "train-000000.tar"}, {"url": "s3://photos/train-000001.tar"}]}""",
        "train-000001.tar"
    )]
    [InlineData("wids-meta.json", """{"wids_version": 1, "shardlist": [{"url": "train-000001.tar", "nsamples": 4}]}""", "train-000001.tar")]
    [InlineData("sizes.json", """{"train-000000.tar": 1, "train-000002.tar": 1}""", "train-000002.tar")]
    [InlineData("sizes.json", """{"train-000000.tar": 1}""", null)]
    [InlineData("notes.json", "not JSON", null)]
    [InlineData("notes.json", """["train-000001.tar"]""", null)]
    public void Archives_OfAListBesideThem_AreNamedWhereTheyAreMissing(string list, string content, string? missing)
    {
        Tar("set/train-000000.tar", "0");
        _folder.Write("set/" + list, content);
        Assert.Equal(
            missing is null ? [] : [$"{list}: 1 archives that it lists are not there: {missing}; their photos are missing"],
            Lines("set").Where(line => line.Contains("lists", StringComparison.Ordinal))
        );
    }

    [Fact]
    public void Archive_InTwoCompressions_IsNoted()
    {
        Tar("set/train-000000.tar", "0");
        using (var packed = new GZipStream(File.Create(_folder.At("set", "train-000000.tar.gz")), CompressionLevel.Fastest))
            packed.Write(File.ReadAllBytes(_folder.At("set", "train-000000.tar")));
        Assert.Contains(
            "train-000000.tar.gz: lies beside train-000000.tar; both are read: if it holds the same photos in another compression, "
                + "remove one",
            Lines("set")
        );
    }

    [Fact]
    public void Archive_WithoutPhotos_IsNoted()
    {
        Tar("set/train-000000.tar", "0");
        _folder.Write("set/train-000001.tar", new byte[10240]);
        Assert.Contains("train-000001.tar: the archive has no photos", Lines("set"));
    }

    [Fact]
    public void Parquet_WithoutRows_IsNoted()
    {
        Parquet("set/train-00000-of-00002.parquet", 1);
        Parquet("set/train-00001-of-00002.parquet", 0);
        Assert.Contains("train-00001-of-00002.parquet: the file has no rows", Lines("set"));
    }

    [Theory]
    [InlineData("train: x.parquet\n    test: y.parquet")]
    [InlineData("train: [x.parquet]\n    test:\n    - y.parquet")]
    public void Readme_FilesUnderNamesOfSplits_AreCompared(string files)
    {
        Parquet("set/x.parquet", 2);
        Parquet("set/y.parquet", 2);
        _folder.Write("set/README.md", $"---\nconfigs:\n- config_name: default\n  data_files:\n    {files}\n---\n");
        Assert.Equal(
            ["x.parquet: README.md gives it the split train", "y.parquet: README.md gives it the split test"],
            Lines("set").Where(line => line.Contains("README.md", StringComparison.Ordinal)).Select(line => line.Split(", which")[0])
        );
    }

    [Theory]
    [InlineData("val/")]
    [InlineData("val/1.jpg")]
    public void SplitFolder_WithoutClassFolders_IsNoted(string inside)
    {
        foreach (var file in new[] { "set/train/a/1.jpg", "set/train/b/2.jpg", "set/" + inside })
        {
            if (file.EndsWith('/'))
                Directory.CreateDirectory(_folder.At(file.Split('/')));
            else
                _folder.Write(file, file);
        }

        Assert.Contains("val: the split folder has no photos in class folders; the split is left out", Lines("set"));
    }

    [Theory]
    [InlineData("~$1.jpg", "what an editor keeps while a file is open")]
    [InlineData("SYNOPHOTO_THUMB_M.jpg", "a thumbnail of a Synology NAS")]
    [InlineData("._1.jpg", "what macOS keeps beside a photo on a foreign disk")]
    public void Folder_FilesThatSystemsKeep_AreNoPhotos(string name, string expected)
    {
        foreach (var file in new[] { "set/a/1.jpg", "set/b/2.jpg", "set/a/" + name })
            _folder.Write(file, file);
        Assert.Contains($"a/{name}: ignored file: {expected}", Lines("set"));
    }

    [Fact]
    public void Tar_NamesWithBackslashes_AreRefusedWithTheReason()
    {
        using (var writer = new TarWriter(File.Create(_folder.At("a.tar"))))
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, @"dog\1.jpg") { DataStream = new MemoryStream([1]) });
        Assert.Contains("their names have backslashes", Assert.Throws<BadInputException>(() => Lines("a.tar")).Message);
    }

    [Fact]
    public void Json_IsRefusedWithTheFormThatIsRead()
    {
        _folder.Write("labels.json", "[]");
        Assert.Contains("expected JSON lines", Assert.Throws<BadInputException>(() => Lines("labels.json")).Message);
    }

    private List<string> Lines(string name)
    {
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At(name), ValidationShare = 0 }, TestTable.Photos());
        return [.. data.Problems.Select(problem => problem.ToString())];
    }

    private void Parquet(string name, int rows) =>
        HuggingFaceFiles.Write(
            _folder.At(name.Split('/')),
            ["a", "b"],
            TypedParquet.Images("image", [.. Enumerable.Range(0, rows).Select(i => ((byte[]?, string?)?)(new[] { (byte)i }, null))]),
            TypedParquet.Int64("label", [.. Enumerable.Range(0, rows).Select(i => (long?)(i % 2))])
        );

    private void Tar(string name, string label)
    {
        using var writer = new TarWriter(File.Create(_folder.At(name.Split('/'))));
        foreach (var (member, content) in new[] { ("1.jpg", "x"), ("1.cls", label) })
            writer.WriteEntry(
                new PaxTarEntry(TarEntryType.RegularFile, member) { DataStream = new MemoryStream([.. content.Select(c => (byte)c)]) }
            );
    }
}
