using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Tar files in the form of webdataset, and archives that are more or other than one plain tar file.</summary>
public sealed class TarFormsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WebDataset_InShards_HasSplitsAndKeepsEqualNamesApart()
    {
        Make("set/train-000000.tar", ("0.jpg", "p0"), ("0.cls", "1\n"), ("1.jpg", "p1"), ("1.cls", "0"));
        Make("set/train-000001.tar", ("0.jpg", "p2"), ("0.cls", "1"));
        Make("set/val-000000.tar", ("0.jpg", "p3"), ("0.cls", "0"));
        _folder.Write("set/classes.txt", "cat\r\ndog\r\n");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At("set") });
        Assert.Equal("webdataset, 3 tar files", data.Form);
        Assert.Equal(
            [
                "train-000000.tar/0.jpg dog train p0",
                "train-000000.tar/1.jpg cat train p1",
                "train-000001.tar/0.jpg dog train p2",
                "val-000000.tar/0.jpg cat validation p3",
            ],
            data.Entries.Select((e, i) => $"{e.Path} {e.Label} {e.Split} {Encoding.UTF8.GetString(data.Bytes(i))}")
                .Order(StringComparer.Ordinal)
        );
        Assert.Contains(data.Problems, p => p is { Path: "classes.txt", Problem: "class names are taken from it, the first for label 0" });
    }

    [Fact]
    public void WebDataset_OfMoreShardsThanStayOpen_IsReadInAnyOrder()
    {
        for (var i = 0; i < 40; i++)
            Make($"set/{i:d4}.tar", ("x/a.jpg", $"photo {i}"), ("x/a.json", $"{{\"label\": \"c{i % 2}\"}}"));
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At("set") });
        Assert.Equal(40, data.Entries.Count);
        Parallel.For(
            0,
            40,
            i =>
                Assert.Equal(
                    $"photo {int.Parse(data.Entries[i].Path[..4], System.Globalization.CultureInfo.InvariantCulture)}",
                    Encoding.UTF8.GetString(data.Bytes(i))
                )
        );
    }

    [Theory]
    [InlineData("{\"class_name\": \"cat\", \"width\": 3}", null, "cat")]
    [InlineData("{\"label\": 3.0}", null, "3")]
    [InlineData("7", null, "7")]
    [InlineData("{\"label\": 3, \"kind\": \"dog\"}", "kind", "dog")]
    public void WebDataset_WithJson_TakesTheLabelUnderAKey(string json, string? column, string expected)
    {
        var file = Make("a.tar", ("1.jpg", "x"), ("1.json", json), ("2.jpg", "y"), ("2.json", json));
        using var data = DatasetReader.Open(new DatasetOptions { Path = file, LabelColumn = column });
        Assert.Equal([expected], data.Classes);
        Assert.Equal(2, data.Entries.Count);
    }

    [Theory]
    [InlineData("1.json", "{\"label\": [1, 2]}", "a.tar, member 1.json: 'label' holds a list; expected one label per photo")]
    [InlineData("1.json", "{\"label\": ", "a.tar, member 1.json: not valid JSON")]
    [InlineData("1.json", "{\"label\": \"\\ud800\"}", "a.tar, member 1.json: holds what is no text")]
    [InlineData("1.json", "\"\\ud800\"", "a.tar, member 1.json: holds what is no text")]
    [InlineData(
        "1.json",
        "{\"width\": 1}",
        "a.tar has photos in the form of webdataset but no labels; expected 000001.cls beside 000001.jpg"
    )]
    [InlineData(
        "1.txt",
        "a dog on a beach",
        "a.tar has photos in the form of webdataset but no labels; expected 000001.cls beside 000001.jpg"
    )]
    [InlineData("1.cls", "a\nb", "a.tar, member 1.cls: several lines, expected one label")]
    [InlineData("1.cls", "caf\xE9", "a.tar, member 1.cls, line 1: byte 0xE9 is not UTF-8")]
    public void WebDataset_WithoutUsableLabels_SaysWhatIsMissing(string name, string content, string expected)
    {
        var file = Make("a.tar", ("1.jpg", "x"), (name, content));
        Assert.Contains(expected, Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = file })).Message);
    }

    [Fact]
    public void WebDataset_PicturesWithoutLabelAndSecondOnes_AreNamed()
    {
        var file = Make("a.tar", ("1.jpg", "x"), ("1.seg.png", "s"), ("1.cls", "0"), ("2.jpg", "y"), ("3.png", ""), ("3.cls", "0"));
        using var data = DatasetReader.Open(new DatasetOptions { Path = file });
        Assert.Equal(["1.jpg", "3.png"], data.Entries.Select(e => e.Path));
        Assert.Contains(data.Problems, p => p is { Path: "3.png", Problem: PhotoFiles.Empty });
        Assert.Contains(data.Problems, p => p is { Path: "1.seg.png", Problem: "ignored: a second picture of its sample" });
        Assert.Contains(data.Problems, p => p is { Path: "2.jpg", Problem: "left out: no .cls or .json beside it holds its label" });
    }

    [Theory]
    [InlineData("classes.txt", "classes.txt")]
    [InlineData("train/classes.txt", "train/classes.txt")]
    [InlineData("val/labels.txt", "val/labels.txt")]
    public void WebDataset_InSplitFolders_FindsItsListOfNames(string list, string expected)
    {
        Make("set/train/0000.tar", ("0.jpg", "p0"), ("0.cls", "1"));
        Make("set/val/0000.tar", ("0.jpg", "p1"), ("0.cls", "0"));
        _folder.Write("set/" + list, "cat\ndog\n\n");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At("set") });
        Assert.Equal(["cat", "dog"], data.Classes);
        Assert.Contains(data.Problems, p => p.Path == expected && p.Problem.StartsWith("class names are taken", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("labels.txt", "bee\nant\n", true)]
    [InlineData("labels.txt", "ant\nbee\n", false)]
    [InlineData("classnames.txt", "caf\xE9", true)]
    public void WebDataset_WithTwoListsOfNames_NamesTheOneThatIsNotUsed(string other, string content, bool isNoted)
    {
        Make("set/0000.tar", ("0.jpg", "p0"), ("0.cls", "1"), ("1.jpg", "p1"), ("1.cls", "0"));
        _folder.Write("set/classes.txt", "ant\nbee\n");
        _folder.Write("set/" + other, Encoding.Latin1.GetBytes(content));
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At("set") });
        Assert.Equal(["ant", "bee"], data.Classes);
        Assert.Equal(
            isNoted,
            data.Problems.Any(p =>
                p.Path == other && p.Problem == "not used, and it differs from the list that the class names are taken from (classes.txt)"
            )
        );
    }

    [Fact]
    public void WebDataset_ListWithAnEmptyLine_IsRefused()
    {
        var list = _folder.Write("classes.txt", "ant\r\n\r\nbee\r\n\r\n");
        var file = Make("a.tar", ("1.jpg", "x"), ("1.cls", "1"));
        Assert.StartsWith(
            $"{list}, line 2: empty, with names behind it",
            Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = file })).Message
        );
    }

    [Theory]
    [InlineData("1", "{\"label\": 0}", true)]
    [InlineData("cat", "{\"label\": \"dog\"}", true)]
    [InlineData("1", "{\"label\": 1.0}", false)]
    [InlineData("1", "{\"label\": \"dog\", \"category\": 7}", false)]
    [InlineData("1", "{\"label\": [1]}", false)]
    [InlineData("1", "{oops", false)]
    public void WebDataset_WithTwoLabelsOfOneSample_NotesThem(string cls, string json, bool isNoted)
    {
        var file = Make("a.tar", ("1.jpg", "x"), ("1.cls", cls), ("1.json", json), ("2.jpg", "y"), ("2.cls", "0"));
        using var data = DatasetReader.Open(new DatasetOptions { Path = file });
        Assert.Equal([cls, "0"], data.Entries.Select(e => e.Label));
        Assert.Equal(
            isNoted,
            data.Problems.Any(p => p.Path == "1.jpg" && p.Problem.StartsWith("its .cls and .json hold different", StringComparison.Ordinal))
        );
    }

    [Fact]
    public void WebDataset_LabelWithoutAName_IsRefused()
    {
        _folder.Write("classes.txt", "cat\n");
        var file = Make("a.tar", ("1.jpg", "x"), ("1.cls", "1"));
        Assert.Contains(
            "1.jpg has label 1, but ",
            Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = file })).Message
        );
    }

    [Fact]
    public void ClassFolders_WithNotesInJson_StayClassFolders()
    {
        var file = Make("a.tar", ("a/1.jpg", "x"), ("a/1.json", "{\"label\": \"z\"}"), ("b/2.jpg", "y"));
        using var data = DatasetReader.Open(new DatasetOptions { Path = file });
        Assert.Equal(["a", "b"], data.Classes);
    }

    [Fact]
    public void FolderOfTars_ThatAreNoWebDataset_SaysWhatIsExpected()
    {
        Make("set/a.tar", ("a/1.jpg", "x"));
        Make("set/b.tar", ("b/1.jpg", "x"));
        Assert.Contains(
            "holds 2 tar files that are not in the form of webdataset",
            Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = _folder.At("set") })).Message
        );
    }

    [Fact]
    public void HardLink_IsThePhotoUnderASecondName()
    {
        var file = _folder.At("a.tar");
        using (var writer = new TarWriter(File.Create(file)))
        {
            writer.WriteEntry(Entry("a/1.jpg", "one"));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "b/2.jpg") { LinkName = "a/1.jpg" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "b/3.jpg") { LinkName = "gone.jpg" });
        }

        using var data = DatasetReader.Open(new DatasetOptions { Path = file });
        Assert.Equal(
            ["a/1.jpg one", "b/2.jpg one"],
            data.Entries.Select((e, i) => $"{e.Path} {Encoding.UTF8.GetString(data.Bytes(i))}").Order(StringComparer.Ordinal)
        );
        Assert.Contains(data.Problems, p => p is { Path: "b/3.jpg", Problem: "ignored: a link or special file in the archive" });
    }

    [Fact]
    public void BytesBehindTheArchive_AreNoted()
    {
        var file = Make("a.tar", ("a/1.jpg", "x"), ("b/2.jpg", "y"));
        File.AppendAllText(file, "signature");
        using var data = DatasetReader.Open(new DatasetOptions { Path = file });
        Assert.Contains(
            data.Problems,
            p => p.Path == "a.tar" && p.Problem.StartsWith("other bytes follow the archive", StringComparison.Ordinal)
        );
    }

    /// <summary>Python's gzip module refuses such bytes; .NET's passes over them.</summary>
    [Theory]
    [InlineData("", false)]
    [InlineData("<html>404</html>", true)]
    public void BytesBehindGzip_AreNoted(string behind, bool isNoted)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(File.ReadAllBytes(Make("a.tar", ("a/1.jpg", "x"), ("b/2.jpg", "y"))));
        var file = _folder.Write("b.tar.gz", [.. packed.ToArray(), .. Encoding.UTF8.GetBytes(behind)]);
        using var data = DatasetReader.Open(new DatasetOptions { Path = file });
        Assert.Equal(2, data.Entries.Count);
        Assert.Equal(isNoted, data.Problems.Any(p => p.Path == "b.tar.gz" && p.Problem.StartsWith("its last bytes are not the length")));
    }

    [Theory]
    [InlineData("28B52FFD00", "a Zstandard archive: unpack it with zstd -d")]
    [InlineData("5D00008000", "an LZMA archive: unpack it with xz --format=lzma -d")]
    [InlineData("4C5A495001", "an lzip archive: unpack it with lzip -d")]
    [InlineData("425A6839", "a bzip2 archive: unpack it with bzip2 -d")]
    [InlineData("504B0304", "a zip archive: unpack it and give the folder")]
    [InlineData(
        "76657273696F6E2068747470733A2F2F6769742D6C6673",
        "a Git LFS pointer, not the file itself: fetch the file with git lfs pull"
    )]
    [InlineData("3C21444F43545950452068746D6C", "a web page: fetch the file itself")]
    [InlineData("3C21646F63747970652068746D6C", "a web page: fetch the file itself")]
    [InlineData("213C617263683E0A", "an ar archive (.deb, .a): unpack it with ar x")]
    [InlineData("303730373031", "a cpio archive: unpack it with cpio -id")]
    public void FileOfAnotherKind_CalledTar_IsNamed(string start, string expected)
    {
        var file = _folder.Write("a.tar", [.. Convert.FromHexString(start), .. new byte[2000].Select(_ => (byte)'x')]);
        Assert.StartsWith(
            $"{file} is {expected}",
            Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = file })).Message
        );
        var named = _folder.Write("a.zip", File.ReadAllBytes(file));
        Assert.StartsWith(
            $"{named} is {expected}",
            Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = named })).Message
        );
    }

    private string Make(string name, params (string Name, string Content)[] members)
    {
        var file = _folder.At(name.Split('/'));
        using var writer = new TarWriter(File.Create(file));
        foreach (var (member, content) in members)
            writer.WriteEntry(Entry(member, content));
        return file;
    }

    /// <summary>Content in Latin-1, so that tests can have bytes that are not UTF-8.</summary>
    private static PaxTarEntry Entry(string name, string content) =>
        new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.Latin1.GetBytes(content)) };
}
