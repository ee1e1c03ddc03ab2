using System.Formats.Tar;
using System.Text;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Labels that are none, several or of two kinds: each is a class of its own, with one line before any work.</summary>
public sealed class DoubtfulLabelsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("hat|NaN", "NaN: the class is called as programs write a missing label")]
    [InlineData("hat|None", "None: the class is called as programs write a missing label")]
    [InlineData("hat|#N/A", "#N/A: the class is called as programs write a missing label")]
    [InlineData("0|1|-1", "-1: the class is called as programs write a missing label")]
    [InlineData("hat|thumbnails", "thumbnails: the class is called as folders of thumbnails are")]
    [InlineData("['hat' 'wool']|coat", "['hat' 'wool']: the label is written as a list")]
    [InlineData("hat;wool|coat;wool", "coat;wool: the class looks like several labels with ';' between them")]
    [InlineData("scab|rust|scab rust", "scab rust: the class looks like several labels with ' ' between them")]
    [InlineData("cat|dog|dog, cat", "dog, cat: the class looks like several labels with ',' between them")]
    [InlineData("a b c|a b|a c|b c|c b a|b a|c a", "a b: the class looks like several labels with ' ' between them")]
    [InlineData("cat\nx|cat", "cat\nx: the name of the class has a line break or another control character")]
    [InlineData("Images|masks", "Images, masks: the classes are called as folders of photos, masks or annotations are")]
    [InlineData("0|1|hat", "0: some labels are numbers and others names; they are taken as different classes: '0', 'hat'")]
    public void Table_LabelsThatMayBeNone_AreNoted(string labels, string expected)
    {
        Table(labels.Split('|'));
        using var data = Open("labels.csv");
        Assert.Equal(labels.Split('|').Order(StringComparer.Ordinal), data.Classes);
        Assert.Single(data.Problems, problem => problem.ToString().StartsWith(expected, StringComparison.Ordinal));
    }

    /// <summary>Names of classes that only look like such labels.</summary>
    [Theory]
    [InlineData("hat|nana")]
    [InlineData("h|-1")]
    [InlineData("a;b|c")]
    [InlineData("hot dog|dog|cat")]
    [InlineData("red car|blue car|red bike|blue bike")]
    [InlineData("tench, Tinca tinca|goldfish, Carassius auratus")]
    [InlineData("mask|no_mask")]
    [InlineData("0|1|A|B")]
    public void Table_UsualLabels_HaveNoLine(string labels)
    {
        Table(labels.Split('|'));
        using var data = Open("labels.csv");
        Assert.Empty(data.Problems);
    }

    [Fact]
    public void Parquet_NotANumber_IsNoLabel()
    {
        TypedParquet.Write(
            _folder.At("a.parquet"),
            TypedParquet.Images("image", ([1], null), ([2], null), ([3], null)),
            TypedParquet.Float64("label", 0, double.NaN, 1)
        );
        using var data = Open("a.parquet");
        Assert.Equal(["0", "1"], data.Classes);
        Assert.Contains("a.parquet#1: left out: the row has no label", data.Problems.Select(problem => problem.ToString()));
    }

    [Fact]
    public void WebDataset_SplitInItsJson_IsTaken()
    {
        Tar(
            "a.tar",
            ("0.jpg", "x"),
            ("0.json", "{\"label\": \"a\", \"split\": \"train\"}"),
            ("1.jpg", "y"),
            ("1.cls", "b"),
            ("1.json", "{\"split\": \"val\"}")
        );
        using var data = Open("a.tar");
        Assert.Equal(
            [("0.jpg", "a", Splits.Train), ("1.jpg", "b", Splits.Validation)],
            data.Entries.Select(e => (e.Path, e.Label, e.Split))
        );
    }

    [Fact]
    public void WebDataset_SplitInItsJsonAndInItsName_TakesThatOfTheName()
    {
        Tar("train-0.tar", ("0.jpg", "x"), ("0.json", "{\"label\": \"a\", \"split\": \"test\"}"));
        using var data = Open("train-0.tar");
        Assert.Equal(Splits.Train, data.Entries[0].Split);
        Assert.Contains(
            "0.jpg: its .json gives another split than the name of its archive, which is taken (test, train)",
            data.Problems.Select(problem => problem.ToString())
        );
    }

    [Fact]
    public void WebDataset_KeyOfSplitsThatTheUserNames_ComesFirstAndMustBeThere()
    {
        Tar("train-0.tar", ("0.jpg", "x"), ("0.json", "{\"label\": \"a\", \"part\": \"test\"}"));
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.At("train-0.tar"), SplitColumn = "part" });
        Assert.Equal(Splits.Test, data.Entries[0].Split);
        Assert.DoesNotContain(data.Problems, problem => problem.Problem.Contains("split", StringComparison.Ordinal));
        var missing = new DatasetOptions { Path = _folder.At("train-0.tar"), SplitColumn = "fold" };
        Assert.Equal(
            $"{missing.Path}: no .json has a key 'fold' with a split (expected train, validation or test)",
            Assert.Throws<UsageException>(() => DatasetReader.Open(missing)).Message
        );
    }

    [Fact]
    public void WebDataset_SplitInSomeJsonOnly_IsRefused()
    {
        Tar(
            "a.tar",
            ("0.jpg", "x"),
            ("0.json", "{\"label\": \"a\", \"split\": \"test\"}"),
            ("1.jpg", "y"),
            ("1.json", "{\"label\": \"b\"}")
        );
        Assert.Equal(
            $"{_folder.At("a.tar")}: the .json of 0.jpg gives its split and that of 1.jpg does not; expected a split in all or in none",
            Assert.Throws<BadInputException>(() => Open("a.tar")).Message
        );
    }

    [Fact]
    public void WebDataset_NumbersAndNames_AreNoted()
    {
        Tar("a.tar", ("0.jpg", "x"), ("0.cls", "0"), ("1.jpg", "y"), ("1.cls", "dog"));
        using var data = Open("a.tar");
        Assert.Contains(data.Problems, problem => problem.Problem.StartsWith("some labels are numbers and others names"));
    }

    private void Table(string[] labels)
    {
        for (var i = 0; i < labels.Length; i++)
            _folder.Write($"{i}.jpg", labels[i]);
        _folder.Write("labels.csv", "file,label\n" + string.Concat(labels.Select((label, i) => $"{i}.jpg,\"{label}\"\n")));
    }

    private void Tar(string name, params (string Name, string Content)[] members)
    {
        using var writer = new TarWriter(File.Create(_folder.At(name)));
        foreach (var (member, content) in members)
            writer.WriteEntry(
                new PaxTarEntry(TarEntryType.RegularFile, member) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) }
            );
    }

    private Dataset Open(string name) =>
        DatasetReader.Open(new DatasetOptions { Path = _folder.At(name), ValidationShare = 0 }, TestTable.Photos());
}
