using System.Formats.Tar;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Options of tables, given for data that are none.</summary>
public sealed class TableOptionsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Options => ["label-column", "path-column", "split-column", "folder", "extension"];

    [Theory]
    [MemberData(nameof(Options))]
    public void Open_ClassFolders_RefusesWhatTheyHaveNoUseFor(string option)
    {
        var folder = ClassFolders();
        var error = Assert.Throws<UsageException>(() => DatasetReader.Open(With(option, folder)));
        Assert.Equal(
            $"{option} is 'x', but {folder} is read as class folders, which have no use for it; leave it out, or give the table of "
                + "names and labels as the data",
            error.Message
        );
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Open_ATarOfClassFolders_RefusesThemToo(string option)
    {
        var tar = _folder.At("photos.tar");
        TarFile.CreateFromDirectory(ClassFolders(), tar, includeBaseDirectory: false);
        using (DatasetReader.Open(new DatasetOptions { Path = tar })) { }
        Assert.Contains("archives", Assert.Throws<UsageException>(() => DatasetReader.Open(With(option, tar))).Message);
    }

    /// <summary>A label column of webdataset is a key of its .json, and one of CSV a column.</summary>
    [Fact]
    public void Require_TakesWhatHasAUse()
    {
        foreach (var option in Options.Select(row => row.Data))
            TableOptions.Require(With(option, "x"), DatasetKind.Csv);
        TableOptions.Require(With("label-column", "x"), DatasetKind.Parquet);
        TableOptions.Require(With("label-column", "x"), DatasetKind.Tar);
        TableOptions.Require(With("split-column", "x"), DatasetKind.Tar);
        Assert.Throws<UsageException>(() => TableOptions.Require(With("split-column", "x"), DatasetKind.Parquet));
        Assert.Throws<UsageException>(() => TableOptions.Require(With("label-column", "x"), DatasetKind.Cifar100));
    }

    private string ClassFolders()
    {
        _folder.Write("photos/cat/1.jpg", "1");
        _folder.Write("photos/dog/1.jpg", "2");
        return _folder.At("photos");
    }

    private static DatasetOptions With(string option, string path)
    {
        var plain = new DatasetOptions { Path = path };
        return option switch
        {
            "label-column" => plain with { LabelColumn = "x" },
            "path-column" => plain with { PathColumn = "x" },
            "split-column" => plain with { SplitColumn = "x" },
            "folder" => plain with { Folder = "x" },
            _ => plain with { Extension = "x" },
        };
    }
}
