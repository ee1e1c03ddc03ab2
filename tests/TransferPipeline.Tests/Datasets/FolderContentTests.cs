using System.Formats.Tar;
using System.Text;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>
/// Folders of photos beside archives, and of archives beside photos. File systems list files in different orders: each archive has many
/// names, of which some come before the photos and some behind them.
/// </summary>
public sealed class FolderContentTests : IDisposable
{
    private static readonly string[] Names = ["a", "backup", "c0", "copy", "k", "old", "photos", "z", "0", "9", "B", "Z"];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Extensions => [".tar", ".zip", ".tar.zst", ".tar.part", ".7z"];

    [Theory]
    [MemberData(nameof(Extensions))]
    public void ClassFolders_BesideAnArchive_StayClassFolders(string extension)
    {
        foreach (var name in Names)
        {
            var set = _folder.At(name, "x");
            foreach (var path in new[] { "cats/1.jpg", "cats/2.jpg", "dogs/3.jpg" })
                _folder.Write($"{name}/x/{path}", path);
            Tar($"{name}/x/{name}{extension}", "cats/1.jpg");
            using var data = DatasetReader.Open(new DatasetOptions { Path = set });
            Assert.Equal(["cats", "dogs"], data.Classes);
            Assert.Contains(
                data.Problems,
                p =>
                    p.Path == name + extension
                    && p.Problem.StartsWith("not read: the photos in the class folders beside it", StringComparison.Ordinal)
            );
        }
    }

    /// <summary>extract --data . --out set, and the same command again.</summary>
    [Fact]
    public void FeatureSet_AmongThePhotos_IsNoDataset()
    {
        foreach (var path in new[] { "cats/1.jpg", "dogs/2.jpg", "set/manifest.json", "set/part-00000.parquet" })
            _folder.Write(path, path);
        using (var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root }))
        {
            Assert.Equal(["cats", "dogs"], data.Classes);
            Assert.Equal(["1.jpg", "2.jpg"], data.Entries.Select((e, i) => Encoding.UTF8.GetString(data.Bytes(i))[5..]));
            Assert.Contains("set: not read: by its manifest.json the folder of a feature set", data.Problems.Select(p => p.ToString()));
        }

        foreach (var path in new[] { "train/a/1.jpg", "test/a/2.jpg", "set/manifest.json", "set/part-00000.parquet", "set/failed.parquet" })
            _folder.Write("s/" + path, path);
        using (var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At("s") }))
            Assert.Equal([Splits.Train, Splits.Test], data.Entries.Select(e => e.Split));
        HuggingFaceFiles.Write(
            _folder.At("hf", "data", "train.parquet"),
            ["a"],
            TypedParquet.Images("image", ([1], null)),
            TypedParquet.Int64("label", 0)
        );
        // A file of that name beside the photos shows nothing.
        _folder.Write("hf/data/manifest.json", "{}");
        _folder.Write("hf/set/manifest.json", "{}");
        _folder.Write("hf/set/part-00000.parquet", "x");
        using var parquet = DatasetReader.Open(new DatasetOptions { Path = _folder.At("hf") }, TestTable.Photos());
        Assert.Single(parquet.Entries);
        Assert.Contains("set: not read: by its manifest.json the folder of a feature set", parquet.Problems.Select(p => p.ToString()));
    }

    [Theory]
    [InlineData("a.parquet")]
    [InlineData("a.tar")]
    public void ClassFolder_WithAStrayArchive_StaysAClassFolder(string archive)
    {
        foreach (var name in Names)
        {
            foreach (var path in new[] { $"{name}/1.jpg", $"{name}/2.jpg", "dogs/3.jpg" })
                _folder.Write($"{name}-set/{path}", path);
            _folder.Write($"{name}-set/{name}/{archive}", "PAR1 x");
            using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At($"{name}-set") });
            Assert.Equal(["dogs", name], data.Classes.OrderBy(c => c != "dogs"));
            Assert.Contains(data.Problems, p => p.Path == $"{name}/{archive}");
        }
    }

    [Fact]
    public void TarFiles_BesideFewerPhotos_AreTheDataset()
    {
        foreach (var name in Names)
        {
            Tar($"{name}/0000.tar", "1.jpg", "1.cls");
            Tar($"{name}/0001.tar", "1.jpg", "1.cls");
            _folder.Write($"{name}/{name}.png", "x");
            using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At(name) });
            Assert.Equal("webdataset, 2 tar files", data.Form);
            Assert.Contains(data.Problems, p => p.Path == $"{name}.png" && p.Problem == "1 photos beside the tar files are not read");
        }
    }

    /// <summary>Shards that were not fetched to their end, or are packed otherwise, beside others.</summary>
    [Theory]
    [InlineData("train-000002.tar.xz", "FD377A585A00", "not read: an xz archive: unpack it with xz -d")]
    [InlineData("train-000002.tar.zst", "28B52FFD", "not read: a Zstandard archive: unpack it with zstd -d")]
    [InlineData("train-000002.zip", "504B0304", "not read: a zip archive: unpack it and give the folder")]
    [InlineData("train-000002.tar.part", "", "not read: its name is that of a copy, an unfinished download")]
    [InlineData("train-000002.tar.1", "31", "not read: its name is that of a copy, an unfinished download")]
    [InlineData("train-000002", "PACKED", "not read: a tar file by its first bytes; name it .tar")]
    [InlineData("train-000002.parquet", "50415231", "not read: a Parquet file")]
    [InlineData("train-000002.tar.idx", "31", null)]
    [InlineData("train-000001.tar.sha256", "31", null)]
    [InlineData("index.html", "3C68746D6C", null)]
    [InlineData("README", "31", null)]
    public void ShardInAnotherForm_IsNamed(string name, string hex, string? expected)
    {
        Tar("set/train-000000.tar", "1.jpg", "1.cls");
        var packed = Tar("set/train-000001.tar", "1.jpg", "1.cls");
        _folder.Write("set/" + name, hex == "PACKED" ? File.ReadAllBytes(packed) : Convert.FromHexString(hex));
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At("set"), Kind = DatasetKind.Tar });
        Assert.Equal("webdataset, 2 tar files", data.Form);
        Assert.Equal(expected is null ? 0 : 1, data.Problems.Count(p => p.Path == name));
        if (expected is not null)
            Assert.StartsWith(expected, data.Problems.Single(p => p.Path == name).Problem);
    }

    [Fact]
    public void Parquet_BesidePicturesAndTarFiles_IsTheDatasetAndTheRestIsNamed()
    {
        HuggingFaceFiles.Write(
            _folder.At("set", "data", "train.parquet"),
            ["cat", "dog"],
            TypedParquet.Images("image", ([1], "1.jpg"), ([2], "2.jpg")),
            TypedParquet.Int64("label", 0, 1)
        );
        foreach (var picture in new[] { "set/assets/1.png", "set/assets/2.png" })
            _folder.Write(picture, "x");
        Tar("set/more.tar", "1.jpg");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At("set") }, TestTable.Photos());
        Assert.Equal("Parquet file with photos", data.Form);
        Assert.Contains(data.Problems, p => p is { Path: "assets/1.png", Problem: "2 photos beside the Parquet files are not read" });
        Assert.Contains(data.Problems, p => p is { Path: "more.tar", Problem: "not read: a tar file beside files of another kind" });
    }

    private string Tar(string name, params string[] members)
    {
        var file = _folder.At(name.Split('/'));
        using var writer = new TarWriter(File.Create(file));
        foreach (var member in members)
            writer.WriteEntry(
                new PaxTarEntry(TarEntryType.RegularFile, member) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes("0")) }
            );
        return file;
    }
}
