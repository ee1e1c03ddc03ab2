using System.Formats.Tar;
using System.Text;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Photos that would count twice, labels of several kinds and photos without a label: refused, or named in one line.</summary>
public sealed class NotedDataTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("train-000003 (1).tar", "train-000003.tar")]
    [InlineData("shards/train-000003(2).tar.gz", "shards/train-000003.tar.gz")]
    [InlineData("train-00000-of-00002 - Copy.parquet", "train-00000-of-00002.parquet")]
    [InlineData("data_batch_1_copy.bin", "data_batch_1.bin")]
    [InlineData("Copy of dog", "dog")]
    [InlineData("dog - Copy (2)", "dog")]
    [InlineData("dog copy 2", "dog")]
    [InlineData("photocopy.tar", "photocopy.tar")]
    [InlineData("(1).tar", "(1).tar")]
    [InlineData("copy", "copy")]
    [InlineData("birds (2011)", "birds (2011)")]
    public void Original_OfACopy_IsTheNameWithoutItsMark(string name, string expected) =>
        Assert.Equal(expected, CopiedNames.Original(name));

    [Fact]
    public void Tar_SecondDownloadBesideTheFirst_IsNotRead()
    {
        Tar("set/train-000000.tar", ("0.jpg", "p0"), ("0.cls", "a"));
        Tar("set/train-000001.tar", ("1.jpg", "p1"), ("1.cls", "b"));
        Tar("set/train-000001 (1).tar", ("1.jpg", "p1"), ("1.cls", "b"));
        using var data = Open("set");
        Assert.Equal(2, data.Entries.Count);
        Assert.Contains(
            "train-000001 (1).tar: not read: by its name a copy of a file beside it; remove or rename it (train-000001.tar)",
            Lines(data)
        );
    }

    [Fact]
    public void Tar_SecondDownloadAlone_IsTheShard()
    {
        Tar("set/train-000000.tar", ("0.jpg", "p0"), ("0.cls", "a"));
        Tar("set/train-000001 (1).tar", ("1.jpg", "p1"), ("1.cls", "b"));
        Tar("set/train-000002.tar", ("2.jpg", "p1"), ("2.cls", "b"));
        using var data = Open("set");
        Assert.Equal(3, data.Entries.Count);
        Assert.DoesNotContain(Lines(data), line => line.Contains("not there") || line.Contains("copy"));
    }

    [Theory]
    [InlineData("data_batch_1 (1).bin")]
    [InlineData("old_data_batch_1.bin")]
    [InlineData("data_batch_1.copy.bin")]
    public void Cifar_FileThatIsNoBatch_IsNotRead(string name)
    {
        _folder.Write("data_batch_1.bin", new byte[3073 * 2]);
        _folder.Write(name, new byte[3073 * 2]);
        using var data = Open(".");
        Assert.Equal(2, data.Entries.Count);
        Assert.Contains($"{name}: not read: no batch of CIFAR-10 has this name", Lines(data));
    }

    [Fact]
    public void Parquet_OfOneNumberTwice_IsRefused()
    {
        foreach (var hash in new[] { "0123456789abcdef", "fedcba9876543210" })
            Parquet($"train-00000-of-00001-{hash}.parquet", ["cat", "dog"], TypedParquet.Int64("label", 0, 1));
        Assert.Contains("have one number of the same series", Assert.Throws<BadInputException>(() => Open(".")).Message);
    }

    [Theory]
    [InlineData("data/train-00000-of-00001.parquet", "train-00000-of-00001.parquet")]
    [InlineData("cropped/0000.parquet", "full/0000.parquet")]
    public void Parquet_OfOneNameInTwoFolders_IsNoted(string first, string second)
    {
        Parquet(first, ["cat", "dog"], TypedParquet.Int64("label", 0, 1));
        Parquet(second, ["cat", "dog"], TypedParquet.Int64("label", 0, 1));
        using var data = Open(".");
        Assert.Equal(4, data.Entries.Count);
        Assert.Contains(Lines(data), line => line.Contains("1 names of files occur in several folders"));
    }

    [Fact]
    public void Parquet_LabelsInLatin1_AreRefused()
    {
        Parquet("a.parquet", null, TypedParquet.Binary("label", [(byte)'a', 0xE8], [(byte)'a', 0xE9]));
        Assert.Contains("row 0: label 'a\uFFFD' is not UTF-8", Assert.Throws<BadInputException>(() => Open("a.parquet")).Message);
    }

    [Fact]
    public void Parquet_NamesInOneFileOnly_AreRefused()
    {
        Parquet("train-00000-of-00002.parquet", ["cat", "dog"], TypedParquet.Int64("label", 0, 1));
        Parquet("train-00001-of-00002.parquet", null, TypedParquet.Int64("label", 0, 1));
        Assert.Contains("only numbers; each would make classes of its own", Assert.Throws<BadInputException>(() => Open(".")).Message);
    }

    [Fact]
    public void Parquet_FileOfHiddenLabelsWithoutNames_IsLeftOut()
    {
        Parquet("train.parquet", null, TypedParquet.Text("label", "cat", "dog"));
        Parquet("test.parquet", null, TypedParquet.Int64("label", null, null));
        using var data = Open(".");
        Assert.Equal(["cat", "dog"], data.Entries.Select(e => e.Label));
    }

    [Fact]
    public void Parquet_ClassWithAnEmptyName_IsRefused()
    {
        Parquet("a.parquet", ["cat", ""], TypedParquet.Int64("label", 0, 1));
        Assert.Contains("the name of label 1 is empty", Assert.Throws<BadInputException>(() => Open("a.parquet")).Message);
    }

    [Fact]
    public void Parquet_SeveralColumnsOfLabels_AreNoted()
    {
        Parquet("a.parquet", null, TypedParquet.Int64("label", 0, 1), TypedParquet.Text("category", "x", "y"));
        using var data = Open("a.parquet");
        Assert.Equal(["0", "1"], data.Classes);
        Assert.Contains(
            "a.parquet: 'category' may hold labels too; 'label' is taken, the option for the label column names another",
            Lines(data)
        );
        Assert.Contains(
            "a.parquet: its labels are numbers and it holds no names for them: classes are called by their numbers",
            Lines(data)
        );
    }

    [Fact]
    public void Parquet_WithoutALabelThatFits_SaysWhy()
    {
        Parquet("a.parquet", ["cat", "dog"], TypedParquet.Boolean("label", true, false));
        Assert.Contains(
            "(first of all a.parquet#0: left out: label 'true' is none of the 2 names)",
            Assert.Throws<BadInputException>(() => Open("a.parquet")).Message
        );
    }

    [Theory]
    [InlineData("dog", "dog ", true)]
    [InlineData("dog", "dog\r\n", false)]
    public void WebDataset_LabelsWithSpaces_AreOneClassWithALine(string first, string second, bool isNoted)
    {
        Tar("a.tar", ("0.jpg", "x"), ("0.cls", first), ("1.jpg", "y"), ("1.cls", second));
        using var data = Open("a.tar");
        Assert.Equal(["dog"], data.Classes);
        Assert.Equal(
            isNoted,
            Lines(data).Any(line => line.StartsWith("dog: the class is written with and without spaces", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData("0.json", "{\"label\": \"a\", \"category\": \"x\"}", "1.json", "{\"label\": \"b\"}", "'category' may hold labels too")]
    [InlineData(
        "0.json",
        "{\"label\": \"a\"}",
        "1.json",
        "{\"category\": \"b\"}",
        "its labels come from several places: 'category', 'label'"
    )]
    [InlineData("0.json", "{\"label\": \"a\"}", "1.cls", "b", "its labels come from several places: '.cls', 'label'")]
    public void WebDataset_LabelsUnderSeveralKeys_AreNoted(string first, string one, string second, string two, string expected)
    {
        Tar("a.tar", ("0.jpg", "x"), (first, one), ("1.jpg", "y"), (second, two));
        using var data = Open("a.tar");
        Assert.Equal(["a", "b"], data.Classes);
        Assert.Contains(Lines(data), line => line.StartsWith("a.tar: " + expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a.tar", "{\"label\": \"a\", \"split\": \"holdout\"}", null, "split")]
    [InlineData("a.tar", "{\"split\": 1}", "a", "split")]
    [InlineData("a.tar", "{\"label\": \"a\", \"part\": \"val\"}", null, "part")]
    [InlineData("a.tar", "{\"label\": \"a\", \"is_test\": 1}", null, "is_test")]
    [InlineData("a.tar", "{\"label\": \"a\", \"source\": \"web\"}", null, null)]
    [InlineData("train-000000.tar", "{\"label\": \"a\", \"split\": \"test\"}", null, null)]
    public void WebDataset_KeyOfSplits_IsNamedWhereNoArchiveGivesThem(string file, string json, string? label, string? key)
    {
        var (name, text) = label is null ? ("1.json", json) : ("1.cls", label);
        Tar(file, ("0.jpg", "x"), ("0.json", json), ("0.cls", "a"), ("1.jpg", "y"), (name, text));
        using var data = Open(file);
        Assert.Equal(2, data.Entries.Count);
        var lines = Lines(data).Where(line => line.Contains("may give the split", StringComparison.Ordinal)).ToList();
        Assert.Equal(
            key is null
                ? []
                :
                [
                    $"{file}: key '{key}' of its .json files may give the split of each photo and is not used; splits "
                        + "come from the beginning of the archives' names (train-000000.tar)",
                ],
            lines
        );
    }

    [Fact]
    public void WebDataset_LabelsWithoutAPhotoThatIsRead_AreNamed()
    {
        Tar("a.tar", ("0.jpg", "x"), ("0.cls", "a"), ("1.avif", "y"), ("1.cls", "b"), ("2.cls", "b"), ("about.json", "{}"));
        using var data = Open("a.tar");
        Assert.Single(data.Entries);
        const string Left = "left out: its sample has no photo (.jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp)";
        Assert.Equal([$"1.cls: {Left}, but 1.avif", $"2.cls: {Left}"], Lines(data).Where(line => line.Contains(Left)));
    }

    [Theory]
    [InlineData("img.2020.0")]
    [InlineData("0.image")]
    public void WebDataset_NamesWithSeveralDots_AreRefusedWithTheReason(string stem)
    {
        Tar("a.tar", ($"{stem}.jpg", "x"), (stem.StartsWith('i') ? $"{stem}.cls" : "0.cls", "a"));
        Assert.Contains("the name of a sample ends at the first dot", Assert.Throws<BadInputException>(() => Open("a.tar")).Message);
    }

    [Fact]
    public void WebDataset_ListOfNamesForSomeLabelsOnly_IsNoted()
    {
        Tar("set/a.tar", ("0.jpg", "x"), ("0.cls", "0"), ("1.jpg", "y"), ("1.cls", "-1"));
        _folder.Write("set/classes.txt", "cat\ndog\n");
        using var data = Open("set/a.tar");
        Assert.Contains("classes.txt: not used: some labels are numbers and others are none ('-1' of 1.jpg)", Lines(data));
    }

    [Theory]
    [InlineData("cifar-10-batches-bin/data_batch_1.bin", "files of CIFAR ('data_batch_1.bin')")]
    [InlineData("photos/more.zip", "an archive ('more.zip'): unpack it")]
    [InlineData("photos/a.gif", "1 other files, such as 'a.gif'")]
    public void Tar_WithoutPhotos_SaysWhatIsInIt(string member, string expected)
    {
        Tar("a.tar", (member, "x"));
        Assert.Contains($"holds no photos but {expected}", Assert.Throws<BadInputException>(() => Open("a.tar")).Message);
    }

    [Theory]
    [InlineData("labels.csv", "file,label\n0.jpg,a\n1.jpg,b\n")]
    [InlineData("labels.jsonl", "{\"file_name\": \"0.jpg\", \"label\": \"a\"}\n{\"file_name\": \"1.jpg\", \"label\": \"b\"}\n")]
    public void Table_PhotosWithoutALine_AreCounted(string name, string text)
    {
        _folder.Write(name, text);
        foreach (var photo in new[] { "0.jpg", "1.jpg", "2.jpg", "3.jpg", "test/4.jpg" })
            _folder.Write(photo, photo);
        using var data = Open(name);
        Assert.Equal(2, data.Entries.Count);
        Assert.Contains("2.jpg: 2 photos beside those of the table have no line in it and are left out", Lines(data));
        Assert.Contains(
            $"; if '{name}' holds their labels, give that file in place of the folder",
            Assert.Throws<BadInputException>(() => Open("test", (name, text))).Message
        );
    }

    [Fact]
    public void JsonLines_SplitInSomeLinesOnly_IsRefused()
    {
        _folder.Write("0.jpg", "x");
        _folder.Write("1.jpg", "y");
        var lines = """
            {"file_name": "0.jpg", "label": "a", "split": "train"}
            {"file_name": "1.jpg", "label": "b"}
            """;
        _folder.Write("labels.jsonl", lines);
        Assert.EndsWith(
            "labels.jsonl, line 2: no split, and line 1 has one; expected one in all lines or in none",
            Assert.Throws<BadInputException>(() => Open("labels.jsonl")).Message
        );
    }

    [Fact]
    public void Metadata_InBothForms_IsNoted()
    {
        _folder.Write("set/0.jpg", "x");
        _folder.Write("set/metadata.csv", "file_name,label\n0.jpg,a\n");
        _folder.Write("set/metadata.jsonl", "{\"file_name\": \"0.jpg\", \"label\": \"b\"}\n");
        using var data = Open("set");
        Assert.Equal(["a"], data.Classes);
        Assert.Contains("metadata.jsonl: not read: metadata.csv lies beside it", Lines(data));
    }

    [Theory]
    [InlineData("train/cat.0.jpg|test1/1.jpg", "train", "the folder is taken as a class, though its name is that of a split")]
    [InlineData("seg_train/a/0.jpg|other/b/1.jpg", "seg_train", "the folder is taken as a class, though its name is that of a split")]
    [InlineData("pets/cat/0.jpg|pets/dog/1.jpg|cars/2.jpg", "pets/cat", "2 folders inside the class folders hold photos")]
    [InlineData("dog/0.jpg|cat/1.jpg|dog - Copy/2.jpg", "dog - Copy", "by its name a copy of another class")]
    public void Folders_ThatMayBeNoClasses_AreNoted(string files, string path, string expected)
    {
        foreach (var file in files.Split('|'))
            _folder.Write("set/" + file, file);
        using var data = Open("set");
        Assert.Contains(Lines(data), line => line.StartsWith($"{path}: {expected}", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Lines(Dataset data) => data.Problems.Select(problem => problem.ToString());

    private Dataset Open(string name) =>
        DatasetReader.Open(new DatasetOptions { Path = _folder.At(name.Split('/')), ValidationShare = 0 }, TestTable.Photos());

    /// <summary>The same with a table beside the photos.</summary>
    private Dataset Open(string folder, (string Name, string Text) table)
    {
        _folder.Write($"{folder}/{table.Name}", table.Text);
        return Open(folder);
    }

    private void Parquet(string name, string[]? names, params TypedColumn[] labels)
    {
        var file = _folder.At(name.Split('/'));
        TypedColumn[] columns = [TypedParquet.Images("image", ([1], null), ([2], null)), .. labels];
        if (names is null)
            TypedParquet.Write(file, columns);
        else
            HuggingFaceFiles.Write(file, names, columns);
    }

    private void Tar(string name, params (string Name, string Content)[] members)
    {
        using var writer = new TarWriter(File.Create(_folder.At(name.Split('/'))));
        foreach (var (member, content) in members)
            writer.WriteEntry(
                new PaxTarEntry(TarEntryType.RegularFile, member) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) }
            );
    }
}
