using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Splits and labels that a dataset gives in a form that is not read: one line, since test photos would be trained on.</summary>
public sealed class GivenSplitsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>As the makers of these datasets publish them.</summary>
    [Theory]
    [InlineData("ImageNet's lists", "", "val.txt|train.txt")]
    [InlineData("Food-101", "images/", "meta/test.txt|meta/train.txt|meta/train.json|meta/classes.txt")]
    [InlineData("CUB-200", "images/", "train_test_split.txt|images.txt|classes.txt")]
    [InlineData("Stanford Dogs", "Images/", "test_list.mat|train_list.mat|file_list.mat")]
    [InlineData("Describable Textures", "images/", "labels/test1.txt|labels/train1.txt|labels/val1.txt")]
    [InlineData("Pascal VOC", "JPEGImages/", "ImageSets/Main/trainval.txt")]
    [InlineData("iNaturalist", "train_val2018/Aves/", "train2018.json|val2018.json")]
    [InlineData("UCF's", "", "splits/01.json")]
    public void Folder_ListsOfSplitsBesideIt_AreNamed(string dataset, string photos, string lists)
    {
        Classes(photos);
        foreach (var list in lists.Split('|'))
            _folder.Write(list, dataset);
        var named = lists.Split('|').Where(UnreadLists.NamesSplits).Order(StringComparer.Ordinal).ToList();
        Assert.Contains(
            Lines("."),
            line =>
                line.StartsWith(
                    $"{named[0]}: {named.Count} files that may give the splits are not read ({string.Join(", ", named)}), and the photos "
                        + "are divided anew",
                    StringComparison.Ordinal
                )
        );
    }

    [Theory]
    [InlineData("labels.csv")]
    [InlineData("image_class_labels.txt")]
    [InlineData("imagelabels.mat")]
    [InlineData("annotations.json")]
    public void Folder_LabelsBesideIt_AreNamed(string file)
    {
        Classes("");
        _folder.Write(file, "x");
        Assert.Contains(Lines("."), line => line.StartsWith($"{file}: 1 files that may give labels or splits are not read"));
    }

    /// <summary>Tiny ImageNet: the split is given by its folder, the labels of its photos by a list in it.</summary>
    [Fact]
    public void Folder_WithSplitFolders_NamesListsOfLabelsOnly()
    {
        Classes("train/");
        _folder.Write("val/images/0.jpg", "x");
        _folder.Write("val/val_annotations.txt", "0.jpg\tcat\n");
        _folder.Write("train.txt", "x");
        var lines = Lines(".");
        Assert.Contains(lines, line => line.StartsWith("val/val_annotations.txt: 1 files that may give labels or splits are not read"));
        Assert.DoesNotContain(lines, line => line.Contains("divided anew"));
    }

    [Theory]
    [InlineData("README.txt")]
    [InlineData("classes.txt")]
    [InlineData("wnids.txt")]
    [InlineData("label_map.json")]
    [InlineData("contest.txt")]
    public void Folder_OtherFilesBesideIt_AreNotNamed(string file)
    {
        Classes("");
        _folder.Write(file, "x");
        Assert.Empty(Lines("."));
    }

    [Theory]
    [InlineData("fold", "0", "1")]
    [InlineData("is_test", "False", "True")]
    [InlineData("Is Valid", "0", "1")]
    [InlineData("Usage", "Training", "PublicTest")]
    [InlineData("set", "train", "test")]
    [InlineData("data set", "TRAIN", "Val")]
    public void Table_ColumnThatMayGiveSplits_IsNamed(string column, string first, string second)
    {
        Photos("0.jpg", "1.jpg");
        _folder.Write("labels.csv", $"file,label,{column}\n0.jpg,a,{first}\n1.jpg,b,{second}\n");
        _folder.Write(
            "labels.jsonl",
            $$"""
            {"file_name": "0.jpg", "label": "a", "{{column}}": "{{first}}"}
            {"file_name": "1.jpg", "label": "b", "{{column}}": "{{second}}"}
            """
        );
        foreach (var table in new[] { "labels.csv", "labels.jsonl" })
            Assert.Contains(Lines(table), line => line.StartsWith($"{table}: column '{column}' may give the split of each photo"));
    }

    [Theory]
    [InlineData("file,label,width\n0.jpg,a,1\n1.jpg,b,2\n")]
    [InlineData("file,label,split,fold\n0.jpg,a,train,0\n1.jpg,b,test,1\n")]
    [InlineData("file,label,note\n0.jpg,a,test\n1.jpg,b,rain\n")]
    public void Table_WithItsSplitOrNone_HasNoSuchLine(string text)
    {
        Photos("0.jpg", "1.jpg");
        Assert.DoesNotContain(Lines(_folder.Write("labels.csv", text)), line => line.Contains("may give the split"));
    }

    [Fact]
    public void Table_PhotosInSplitFolders_AreNamed()
    {
        Photos("train/0.jpg", "train/1.jpg", "test/2.jpg", "test/3.jpg");
        const string Rows = "train/0.jpg,a,train\ntrain/1.jpg,b,train\ntest/2.jpg,a,test\ntest/3.jpg,b,test\n";
        var without = Rows.Replace(",train\n", "\n").Replace(",test\n", "\n");
        Assert.Contains(
            Lines(_folder.Write("a.csv", "file,label\n" + without)),
            line => line.StartsWith("test, train: the photos lie in folders with names of splits, which are not used")
        );
        Assert.Empty(Lines(_folder.Write("b.csv", "file,label,split\n" + Rows)));
    }

    [Fact]
    public void Folder_OfTwoSplitsWithoutClasses_IsNamed()
    {
        Photos("cars_train/0.jpg", "cars_train/1.jpg", "cars_test/2.jpg", "cars_test/3.jpg");
        Assert.Contains("cars_test: the folder is taken as a class, though its name is that of a split", Lines("."));
    }

    /// <summary>The header of a Hugging Face repository.</summary>
    [Theory]
    [InlineData("  - split: train\n    path: data/a.parquet\n  - split: test\n    path: data/b.parquet", "data/a.parquet")]
    [InlineData("  - split: \"train\"\n    path:\n    - data/a*", "data/a.parquet")]
    [InlineData("  - path: [data/c*, data/b*]\n    split: train", "data/b.parquet")]
    [InlineData("  - split: train\n    path: data/c*", null)]
    [InlineData("  - data/a*", null)]
    public void Parquet_SplitsInTheReadme_AreNamed(string files, string? expected)
    {
        Parquet("data/a.parquet");
        Parquet("data/b.parquet");
        _folder.Write("README.md", $"---\nconfigs:\n- config_name: default\n  data_files:\n{files}\n---\n# Photos\n");
        var lines = Lines(".").Where(line => line.Contains("README.md gives it the split")).ToList();
        Assert.Equal(expected is null, lines.Count == 0);
        Assert.All(lines.Take(1), line => Assert.StartsWith($"{expected}: README.md gives it the split train", line));
    }

    [Theory]
    [InlineData("---\nconfigs: [\n---\n", "README.md: its header is not read: line 2: ")]
    [InlineData("# Photos\n---\nconfigs: [\n---\n", null)]
    [InlineData("---\nconfigs: [\n", null)]
    public void Parquet_ReadmeWithoutAValidHeader_IsNamedWhereThereIsOne(string readme, string? expected)
    {
        Parquet("train.parquet");
        _folder.Write("README.md", readme);
        var lines = Lines(".").Where(line => line.StartsWith("README.md")).ToList();
        Assert.Equal(expected is null ? 0 : 1, lines.Count);
        Assert.All(lines, line => Assert.StartsWith(expected!, line));
    }

    [Fact]
    public void Parquet_SplitsInTheReadmeThatNamesGiveToo_HaveNoLine()
    {
        Parquet("data/train-00000-of-00001.parquet");
        Parquet("data/test-00000-of-00001.parquet");
        _folder.Write(
            "README.md",
            "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train-*\n  - split: test\n    "
                + "path: data/test-*\n---\n"
        );
        Assert.Empty(Lines("."));
    }

    [Theory]
    [InlineData("a.parquet", true)]
    [InlineData("train.parquet", false)]
    public void Parquet_ColumnOfSplits_IsNamedWhereNoFileGivesThem(string file, bool isNamed)
    {
        HuggingFaceFiles.Write(
            _folder.At(file),
            ["cat", "dog"],
            TypedParquet.Images("image", ([1], null), ([2], null)),
            TypedParquet.Int64("label", 0, 1),
            TypedParquet.Text("split", "train", "test")
        );
        Assert.Equal(isNamed, Lines(file).Exists(line => line.StartsWith($"{file}: column 'split' may give the split of each photo")));
    }

    [Fact]
    public void Parquet_FoldersOfDifferentSplits_AreNamed()
    {
        Parquet("small/train-00000-of-00001.parquet");
        Parquet("large/test-00000-of-00001.parquet");
        Assert.Contains(
            "the folders large, small hold different splits and are read as one dataset; if they are configurations, give the folder of "
                + "one",
            Lines(".")
        );
    }

    [Fact]
    public void Parquet_WholeFileBesideItsSeries_IsRefused()
    {
        Parquet("train-00000-of-00002.parquet");
        Parquet("train-00001-of-00002.parquet");
        Parquet("train.parquet");
        Assert.Contains(
            "'train.parquet' lies beside the numbered series of 'train-00000-of-00002.parquet'",
            Assert.Throws<BadInputException>(() => Lines(".")).Message
        );
    }

    [Theory]
    [InlineData("train/data-00000-of-00001.arrow", "an Arrow file of Hugging Face's datasets (save_to_disk, or its cache)")]
    [InlineData("a.tfrecord-00000-of-00008", "a TFRecord file")]
    [InlineData("pathmnist.npz", "an archive of NumPy arrays")]
    [InlineData("train-images-idx3-ubyte.gz", "an IDX file as of MNIST")]
    [InlineData("train.rec", "a RecordIO file of MXNet")]
    [InlineData("labels.xlsx", "a spreadsheet")]
    public void OtherForms_AreCalledByTheirNames(string file, string expected)
    {
        var full = _folder.Write(file, "x");
        Assert.Contains($"'{file}', {expected}, which is not read: ", Assert.Throws<BadInputException>(() => Lines(".")).Message);
        Assert.Contains($"is {expected}, which is not read: ", Assert.Throws<BadInputException>(() => Lines(full)).Message);
    }

    [Theory]
    [InlineData("labels.txt")]
    [InlineData("train/_classes.csv")]
    [InlineData("val/trainval.txt")]
    public void PhotosWithoutClassFolders_NameTheFileThatMayHoldTheLabels(string file)
    {
        Photos("train/0.jpg", "val/1.jpg");
        _folder.Write(file, "x");
        Assert.Contains(
            $"; if '{file}' holds their labels, make a table of it",
            Assert.Throws<BadInputException>(() => Lines(".")).Message
        );
    }

    [Theory]
    [InlineData("train.csv", "give that file in place of the folder")]
    [InlineData("annotations/list.txt", "make a table of it")]
    public void OnlyFolderOfPhotos_BesideLabels_IsNamed(string file, string cure)
    {
        Photos("images/0.jpg", "images/1.jpg");
        _folder.Write(file, "x");
        if (DatasetReader.IsTable(file))
            _folder.Write("sample_submission.csv", "x");
        Assert.Contains(
            Lines("."),
            line => line.StartsWith($"images: the only folder with photos is taken as a class; if '{file}' holds their labels, {cure}")
        );
    }

    [Fact]
    public void Parquet_DeepInside_IsNamed()
    {
        Parquet("snapshots/0123/data/train.parquet");
        Assert.Contains(
            "but Parquet files deeper inside ('snapshots/0123/data/train.parquet'): give the folder that they lie in",
            Assert.Throws<BadInputException>(() => Lines(".")).Message
        );
    }

    /// <summary>The file system's order differs between machines: of many lines of a kind the same ones are printed.</summary>
    [Fact]
    public void Folder_IgnoredFiles_AreNamedInOrdinalOrder()
    {
        Classes("");
        var names = Enumerable.Range(0, 40).Select(i => $"cat/{i * 37 % 40:d2}.gif").ToList();
        names.ForEach(name => _folder.Write(name, "x"));
        var named = Lines(".").Where(line => line.Contains("ignored file: its extension")).ToList();
        Assert.Equal(names.Order(StringComparer.Ordinal).Take(20), named.Take(20).Select(line => line.Split(':')[0]));
        Assert.Contains("20 more, the last is cat/39.gif", named[^1]);
    }

    private void Classes(string prefix) => Photos([.. "cat dog".Split(' ').Select(label => $"{prefix}{label}/{label}.jpg")]);

    private void Photos(params string[] names)
    {
        foreach (var name in names)
            _folder.Write(name, name);
    }

    private void Parquet(string name) =>
        HuggingFaceFiles.Write(
            _folder.At(name.Split('/')),
            ["cat", "dog"],
            TypedParquet.Images("image", ([1], null), ([2], null)),
            TypedParquet.Int64("label", 0, 1)
        );

    private List<string> Lines(string name)
    {
        using var data = DatasetReader.Open(
            new DatasetOptions { Path = Path.GetFullPath(name, _folder.Root), ValidationShare = 0 },
            TestTable.Photos()
        );
        return [.. data.Problems.Select(problem => problem.ToString()).Where(line => !line.Contains("the folder holds everything"))];
    }
}
