using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Folders with metadata.csv or metadata.jsonl.</summary>
public sealed class MetadataDatasetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("metadata.csv", "file_name,label\n1.jpg,a\nsub/2.jpg,b\n")]
    [InlineData("metadata.jsonl", "{\"file_name\": \"1.jpg\", \"label\": \"a\"}\n\n{\"file_name\": \"sub/2.jpg\", \"label\": \"b\"}\n")]
    public void Metadata_AtTheTop_GivesLabelsAndNotesOtherPhotos(string name, string text)
    {
        foreach (var photo in new[] { "1.jpg", "sub/2.jpg", "3.jpg" })
            _folder.Write(photo, photo);
        _folder.Write(name, text);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal($"folder with {name}", data.Form);
        Assert.Equal([("1.jpg", "a"), ("sub/2.jpg", "b")], data.Entries.Select(e => (e.Path, e.Label)));
        Assert.Contains(data.Problems, p => p is { Path: "3.jpg", Problem: "1 photos are not named in the metadata and are left out" });
    }

    [Fact]
    public void Metadata_InSplitFolders_GivesTheirSplits()
    {
        foreach (var (split, label) in new[] { ("train", "0"), ("test", "1.0") })
        {
            _folder.Write($"{split}/1.jpg", split);
            _folder.Write($"{split}/metadata.jsonl", $"{{\"file_name\": \"1.jpg\", \"label\": {label}}}\n");
        }

        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(
            [("test/1.jpg", "1", Splits.Test), ("train/1.jpg", "0", Splits.Train)],
            data.Entries.Select(e => (e.Path, e.Label, e.Split))
        );
    }

    /// <summary>A photo without a label is left out wherever its line stands, as in a table.</summary>
    [Theory]
    [InlineData("metadata.csv", "file_name,label\n1.jpg,\n2.jpg,b\n")]
    [InlineData("metadata.jsonl", "{\"file_name\": \"1.jpg\"}\n{\"file_name\": \"2.jpg\", \"label\": \"b\"}\n")]
    public void Metadata_WhoseFirstPhotoHasNoLabel_LeavesThatOneOut(string name, string text)
    {
        foreach (var photo in new[] { "1.jpg", "2.jpg" })
            _folder.Write(photo, photo);
        _folder.Write(name, text);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(["2.jpg"], data.Entries.Select(e => e.Path));
        Assert.Contains(data.Problems, p => p is { Path: "1.jpg", Problem: "left out: the line has no label" });
    }

    [Fact]
    public void Metadata_OfATestSplitWithoutLabels_LeavesThatOneOut()
    {
        _folder.Write("test/1.jpg", "x");
        _folder.Write("train/2.jpg", "y");
        _folder.Write("test/metadata.jsonl", "{\"file_name\": \"1.jpg\"}\n");
        _folder.Write("train/metadata.jsonl", "{\"file_name\": \"2.jpg\", \"label\": \"b\"}\n");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal([("train/2.jpg", Splits.Train)], data.Entries.Select(e => (e.Path, e.Split)));
        Assert.Contains(data.Problems, p => p is { Path: "test/1.jpg", Problem: "left out: the line has no label" });
    }

    [Fact]
    public void Metadata_ThatBreaksInALaterLine_NamesThatLine()
    {
        _folder.Write("1.jpg", "x");
        _folder.Write("metadata.jsonl", "{\"file_name\": \"1.jpg\"}\n\n{oops\n");
        Assert.Contains(
            "metadata.jsonl, line 3: not valid JSON",
            Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = _folder.Root })).Message
        );
    }

    [Theory]
    [InlineData(
        "metadata.jsonl",
        "{\"image\": {\"path\": \"1.jpg\"}, \"label\": 1}",
        "'image' holds an object; expected one name per photo"
    )]
    [InlineData("metadata.jsonl", "{\"file_name\": \"1.jpg\", \"label\": [1, 2]}", "'label' holds a list; expected one label per photo")]
    [InlineData("metadata.jsonl", "{\"label\": \"a\"}", "no photo name; expected a key file_name")]
    [InlineData("metadata.jsonl", "{\"file_name\": \"1.jpg\", \"label\": \"\\ud800\"}", "line 1: holds what is no text")]
    [InlineData("metadata.jsonl", "{\"file_name\": \"1.jpg\", \"label\": \"a\", \"\\udfff\": 1}", "line 1: holds what is no text")]
    [InlineData(
        "metadata.jsonl",
        "{\"file_name\": \"\\u0000.jpg\", \"label\": \"a\"}",
        "line 1: the photo's name '\0.jpg' has a zero character"
    )]
    [InlineData("metadata.jsonl", "{\"file_name\": \"1.jpg\", \"label\": \"a\", \"label\": \"b\"}", "Duplicate property")]
    [InlineData(
        "metadata.csv",
        "file_name,label,Label\n1.jpg,a,b\n",
        "has two columns 'label' (number 2 and 3 of file_name, label, Label)"
    )]
    [InlineData("metadata.csv", "file_name,label,file_name\n1.jpg,a,1.jpg\n", "has two columns 'file_name' (number 1 and 3 of")]
    [InlineData("metadata.jsonl", "{\"file_name\": \"1.jpg\", \"label\": \"a\"}\n{oops", "line 2: not valid JSON")]
    [InlineData("metadata.csv", "file_name,text\n1.jpg,a dog on a beach\n", "has no column of labels (it has file_name, text)")]
    public void Metadata_ThatCannotBeUsed_SaysWhatIsMissing(string name, string text, string expected)
    {
        _folder.Write("1.jpg", "x");
        _folder.Write(name, text);
        var error = Assert.Throws<BadInputException>(() =>
            DatasetReader.Open(new DatasetOptions { Path = _folder.Root, Kind = DatasetKind.Csv })
        );
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Metadata_BesideClassFolders_IsNotedAndNotUsed()
    {
        foreach (var photo in new[] { "a/1.jpg", "b/2.jpg" })
            _folder.Write(photo, photo);
        _folder.Write("metadata.csv", "file_name,label\na/1.jpg,x\nb/2.jpg,y\n");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(["a", "b"], data.Classes);
        Assert.Contains(data.Problems, p => p.Path == "metadata.csv" && p.Problem.StartsWith("not used", StringComparison.Ordinal));
        using var requested = DatasetReader.Open(new DatasetOptions { Path = _folder.Root, Kind = DatasetKind.Csv });
        Assert.Equal(["x", "y"], requested.Classes);
    }

    [Fact]
    public void Metadata_BesideClassFolders_NeedNotBeWhole()
    {
        foreach (var photo in new[] { "a/1.jpg", "b/2.jpg" })
            _folder.Write(photo, photo);
        _folder.Write("metadata.jsonl", "{\"file_name\": \"a/1.jpg\", \"text\": \"a cat\"}\n{oops\n");
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root });
        Assert.Equal(["a", "b"], data.Classes);
        Assert.Contains(data.Problems, p => p.Path == "metadata.jsonl" && p.Problem.Contains("line 2: not valid JSON"));
    }
}
