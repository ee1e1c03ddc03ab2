using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>
/// Photos in Parquet as others than the datasets library write them, labels that would be lost or merged, and folders of many files.
/// </summary>
public sealed class ParquetFormsTests : IDisposable
{
    private static readonly string[] Names = ["cat", "dog"];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> ImageForms => ["struct", "struct without path", "plain", "flat"];

    [Theory]
    [MemberData(nameof(ImageForms))]
    public void Image_InEveryForm_IsRead(string form)
    {
        byte[] one = [1, 2, 3],
            two = [4];
        TypedColumn[] image = form switch
        {
            "struct" => [TypedParquet.Images("image", (one, "1.jpg"), (two, "2.jpg"))],
            "struct without path" => [TypedParquet.Images("picture", (one, null), (two, null))],
            "plain" => [TypedParquet.Text("caption", "x", "y"), TypedParquet.Binary("image", one, two)],
            _ => [TypedParquet.Binary("image.bytes", one, two), TypedParquet.Text("image.path", "1.jpg", "2.jpg")],
        };
        var file = _folder.At("train.parquet");
        HuggingFaceFiles.Write(file, Names, [.. image, TypedParquet.Int64("label", 1, 0)]);
        using var data = Open(file);
        Assert.Equal(["dog", "cat"], data.Entries.Select(e => e.Label));
        Assert.Equal(
            form is "struct" or "flat" ? ["1.jpg", "2.jpg"] : ["train.parquet#0", "train.parquet#1"],
            data.Entries.Select(e => e.Path)
        );
        Assert.Equal(one, data.Bytes(0));
        Assert.Equal(two, data.Bytes(1));
        Assert.Equal("Parquet file with photos", data.Form);
    }

    [Fact]
    public void Labels_AsFloatsOrNames_AreTheClasses()
    {
        Write("floats.parquet", TypedParquet.Float64("label", 1.0, 0.0, null, 0.5));
        using var floats = Open(_folder.At("floats.parquet"));
        Assert.Equal(["dog", "cat"], floats.Entries.Select(e => e.Label));
        Assert.Equal(
            ["floats.parquet#2: left out: the row has no label", "floats.parquet#3: left out: label '0.5' is none of the 2 names"],
            floats.Problems.Where(p => p.Path.Contains('#')).Select(p => p.ToString())
        );
        Write("texts.parquet", TypedParquet.Text("label", "dog", "cat", "cow", "1"));
        using var texts = Open(_folder.At("texts.parquet"));
        Assert.Equal(["dog", "cat", "dog"], texts.Entries.Select(e => e.Label));
        Assert.Contains(texts.Problems, p => p.ToString() == "texts.parquet#2: left out: label 'cow' is none of the 2 names");
    }

    [Fact]
    public void Labels_WithoutANameOrHidden_AreToldApart()
    {
        Write("a.parquet", TypedParquet.Int64("label", 0, 2, -1, -7));
        using var data = Open(_folder.At("a.parquet"));
        Assert.Equal(
            [
                "a.parquet#1: left out: label 2 has no name, there are 2 names",
                "a.parquet#2: left out: the row has no label",
                "a.parquet#3: left out: label -7 has no name, there are 2 names",
            ],
            data.Problems.Where(p => p.Path.Contains('#')).Select(p => p.ToString())
        );
    }

    /// <summary>A number that is no index must not be taken for a class that is called so.</summary>
    [Fact]
    public void Labels_OfClassesThatAreCalledByNumbers_AreIndexes()
    {
        HuggingFaceFiles.Write(_folder.At("a.parquet"), ["8", "6"], Images(3), TypedParquet.Int64("label", 0, 1, 6));
        using var data = Open(_folder.At("a.parquet"));
        Assert.Equal(["8", "6"], data.Entries.Select(e => e.Label));
        Assert.Contains(data.Problems, p => p.ToString() == "a.parquet#2: left out: label 6 has no name, there are 2 names");
    }

    [Fact]
    public void Labels_ThatWouldBeMergedOrAreLists_AreRefused()
    {
        HuggingFaceFiles.Write(_folder.At("a.parquet"), ["cat", "dog", "cat"], Images(2), TypedParquet.Int64("label", 0, 1));
        Assert.Contains(
            "the name 'cat' stands for several classes (0 and 2)",
            Assert.Throws<BadInputException>(() => Open(_folder.At("a.parquet"))).Message
        );
        Write("b.parquet", TypedParquet.Lists<double>("label", [0], [1], [0], [1]));
        Assert.Contains(
            "column 'label' is float64 list, expected text or a number per row",
            Assert.Throws<BadInputException>(() => Open(_folder.At("b.parquet"))).Message
        );
    }

    [Theory]
    [InlineData("default/train/0000.parquet default/test/0000.parquet", "train test", null)]
    [InlineData(
        "plain/partial-train/0000.parquet plain/validation/0000.parquet",
        "train validation",
        "the folder holds a part of the split only"
    )]
    [InlineData("data/train-00000-of-00002.parquet data/train-00001-of-00002.parquet", "train train", null)]
    [InlineData(
        "data/train-00000-of-00002-0123456789abcdef.parquet data/test-00000-of-00001-fedcba9876543210.parquet",
        "train test",
        "1 files of its numbered series are not there: 00001 of 00002; their photos are missing"
    )]
    [InlineData(
        "train/0000.parquet train/0002.parquet",
        "train train",
        "1 files of its numbered series are not there: 0001; their photos are missing"
    )]
    [InlineData(
        "mnist-train.parquet mnist-test.parquet",
        "train test",
        "the names of the files hold the words of splits, which are taken as their splits"
    )]
    [InlineData("@eaDir/train.parquet train.parquet", "train", null)]
    [InlineData("split=train/0.parquet split=test/0.parquet", "train test", null)]
    public void Folders_OfHuggingFace_HaveTheirSplits(string files, string splits, string? note)
    {
        foreach (var file in files.Split(' '))
            Write(file, TypedParquet.Int64("label", 0, 1, 0, 1));
        using var data = Open(_folder.Root);
        Assert.Equal(
            splits.Split(' ').Distinct().Order(StringComparer.Ordinal),
            data.Entries.Select(e => e.Split).Distinct().Order(StringComparer.Ordinal)
        );
        Assert.Equal(4 * splits.Split(' ').Length, data.Entries.Count);
        Assert.Equal(note is null ? [] : [note], data.Problems.Select(p => p.Problem));
    }

    [Theory]
    [InlineData("en/train/0000.parquet fr/train/0000.parquet", "holds several configurations (en, fr), each with the same splits")]
    [InlineData(
        "small/train-00000-of-00001.parquet train-00000-of-00001.parquet",
        "holds several configurations (., small), each with the same splits"
    )]
    [InlineData("train-00000-of-00002.parquet train-00000-of-00003.parquet", "are of two series; remove the files of the older one")]
    public void Folders_WhosePhotosWouldBeCountedTwice_AreRefused(string files, string expected)
    {
        foreach (var file in files.Split(' '))
            Write(file, TypedParquet.Int64("label", 0, 1, 0, 1));
        Assert.Contains(expected, Assert.Throws<BadInputException>(() => Open(_folder.Root)).Message);
    }

    private static Dataset Open(string path) =>
        DatasetReader.Open(new DatasetOptions { Path = path, ValidationShare = 0 }, TestTable.Photos());

    private static TypedColumn Images(int count) =>
        TypedParquet.Images("image", [.. Enumerable.Range(0, count).Select(i => ((byte[]?, string?)?)(new byte[] { (byte)i }, null))]);

    private void Write(string file, TypedColumn labels) => HuggingFaceFiles.Write(_folder.At(file.Split('/')), Names, Images(4), labels);
}
