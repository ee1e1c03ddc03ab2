using ParquetSharp;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

public sealed class ParquetDatasetTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly IPhotoTable _table = TestTable.Photos();

    public void Dispose() => _folder.Dispose();

    /// <summary>A window of rows counts those without a label too, since they are read with the others.</summary>
    [Fact]
    public void Windows_OverRowsWithoutALabel_StaySmall()
    {
        const int Megabyte = 1 << 20;
        var table = new SizedRows([
            ("0", 1),
            ("1", 1),
            (null, 30 * Megabyte),
            ("0", 2),
            (null, 3 * Megabyte),
            ("1", 2),
            ("0", 3 * Megabyte),
        ]);
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Write("x.parquet", "PAR1") }, table);
        Assert.Equal([1, 1, 2, 2, 3 * Megabyte], Enumerable.Range(0, 5).Select(i => data.Bytes(i).Length));
        Assert.Equal([(0, 2), (3, 4)], table.Windows.Distinct());
    }

    private sealed class SizedRows((string? Label, int Bytes)[] rows) : IPhotoTable
    {
        public List<(int First, int Count)> Windows { get; } = [];

        public ParquetDescription Describe(string file) =>
            new([("image.bytes", ColumnType.Binary), ("label", ColumnType.Text)], new Dictionary<string, string>(), rows.Length);

        public List<PhotoTableRow> ReadIndex(string file, string imageColumn, string? labelColumn) =>
            [.. rows.Select(row => new PhotoTableRow(row.Bytes, null, row.Label))];

        public byte[][] ReadPhotos(string file, string imageColumn, int firstRow, int count)
        {
            Windows.Add((firstRow, count));
            return [.. rows.Skip(firstRow).Take(count).Select(row => new byte[row.Bytes])];
        }
    }

    [Fact]
    public void Open_FileOfTheDatasetsLibrary_GivesThePhotosOfTheFolder()
    {
        var clothing = SharedData.RequireClothing();
        using var data = DatasetReader.Open(new DatasetOptions { Path = SharedData.RequireReference("hf-clothing-mini.parquet") }, _table);

        Assert.Equal(40, data.Entries.Count);
        Assert.Equal(10, data.Classes.Count);
        for (var i = 0; i < data.Entries.Count; i++)
        {
            var entry = data.Entries[i];
            var original = Directory.GetFiles(clothing, Path.GetFileName(entry.Path), SearchOption.AllDirectories).Single();
            Assert.Equal(Path.GetFileName(Path.GetDirectoryName(original)), entry.Label);
            Assert.Equal(File.ReadAllBytes(original), data.Bytes(i));
            Assert.Equal(new FileInfo(original).Length, data.Stamp(i).Bytes);
        }
    }

    [Fact]
    public void Open_LabelColumnNamed_IsTaken()
    {
        var file = SharedData.RequireReference("hf-clothing-mini.parquet");
        using var found = DatasetReader.Open(new DatasetOptions { Path = file }, _table);
        using var named = DatasetReader.Open(new DatasetOptions { Path = file, LabelColumn = "label" }, _table);
        Assert.Equal(found.Entries, named.Entries);
        Assert.Contains(
            "has no column 'lable'; did you mean 'label'?",
            Assert
                .Throws<UsageException>(() => DatasetReader.Open(new DatasetOptions { Path = file, LabelColumn = "lable" }, _table))
                .Message
        );
    }

    [Fact]
    public void Open_FolderOfFiles_TakesSplitsFromTheirNamesAndReadsInAnyOrder()
    {
        var samples = Path.Combine(SharedData.Repository, "samples", "clothing");
        HuggingFaceFiles.Write(_folder.At("data/validation-00000-of-00001.parquet"), samples, "validation");
        HuggingFaceFiles.Write(_folder.At("data/train-00000-of-00001.parquet"), samples, "train");
        using var folder = DatasetReader.Open(new DatasetOptions { Path = samples });
        using var data = DatasetReader.Open(new DatasetOptions { Path = _folder.Root }, _table);

        Assert.Equal(folder.Entries, data.Entries);
        Assert.Equal(folder.Classes, data.Classes);
        Assert.Empty(data.Problems);
        int[] order = [.. Enumerable.Range(0, data.Entries.Count).OrderBy(i => i * 7919 % data.Entries.Count)];
        Parallel.ForEach(order, i => Assert.Equal(folder.Bytes(i), data.Bytes(i)));
    }

    [Fact]
    public void Open_PathsThatRepeatOrAreMissing_AreKeyedByRow()
    {
        var file = _folder.At("train.parquet");
        TypedParquet.Write(
            file,
            TypedParquet.Images("image", [.. Enumerable.Repeat(Photo("same.jpg"), 4)]),
            TypedParquet.Int32("label", 0, 1, 0, 1)
        );
        using var data = DatasetReader.Open(new DatasetOptions { Path = file }, _table);
        Assert.Equal(["train.parquet#0", "train.parquet#1", "train.parquet#2", "train.parquet#3"], data.Entries.Select(e => e.Path));
        Assert.Equal(["0", "1"], data.Classes);
    }

    [Fact]
    public void Open_RowsWithoutBytesOrLabel_AreLeftOutAndNamed()
    {
        var file = _folder.At("train.parquet");
        HuggingFaceFiles.Write(
            file,
            ["no", "yes"],
            TypedParquet.Images("image", Photo("0.jpg"), null, Photo("2.jpg"), Photo("3.jpg")),
            TypedParquet.Int64("label", 0, 1, -1, 1)
        );
        using var data = DatasetReader.Open(new DatasetOptions { Path = file }, _table);

        Assert.Equal([new("0.jpg", "no", Splits.Train), new PhotoEntry("3.jpg", "yes", Splits.Train)], data.Entries);
        Assert.Equal(
            ["train.parquet#1: left out: the row has no image bytes", "train.parquet#2: left out: the row has no label"],
            data.Problems.Select(p => $"{p.Path}: {p.Problem}")
        );
        Assert.Equal("x"u8, data.Bytes(1));
    }

    [Theory]
    [InlineData("paths alone", "column 'image' holds no image bytes, only paths")]
    [InlineData("text", "has no image column (it has image, label)")]
    [InlineData("no label", "has no label column (it has image.bytes, image.path, kind)")]
    [InlineData("dates", "column 'label' is date, expected text or a number per row")]
    public void Open_FileOfOtherColumns_SaysWhatIsExpected(string columns, string expected)
    {
        var file = _folder.At("train.parquet");
        TypedParquet.Write(
            file,
            columns switch
            {
                "paths alone" => [TypedParquet.Images("image", (null, "a.jpg")), TypedParquet.Int32("label", 1)],
                "text" => [TypedParquet.Text("image", "a.jpg"), TypedParquet.Int32("label", 1)],
                "dates" => [TypedParquet.Images("image", Photo("a.jpg")), TypedParquet.Date("label", new Date(20_000))],
                _ => [TypedParquet.Images("image", Photo("a.jpg")), TypedParquet.Int32("kind", 1)],
            }
        );
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = file }, _table));
        Assert.StartsWith(file, error.Message);
        Assert.Contains(expected, error.Message);
        Assert.Contains("expected", error.Message);
    }

    [Fact]
    public void Open_UnknownLabelColumn_SuggestsTheNearest()
    {
        var error = Assert.Throws<UsageException>(() =>
            DatasetReader.Open(
                new DatasetOptions { Path = SharedData.RequireReference("hf-clothing-mini.parquet"), LabelColumn = "lable" },
                _table
            )
        );
        Assert.EndsWith("has no column 'lable'; did you mean 'label'?", error.Message);
    }

    [Fact]
    public void Open_FolderWhereSomeFilesNameNoSplit_IsRefused()
    {
        foreach (var name in new[] { "train-0.parquet", "more.parquet" })
            TypedParquet.Write(_folder.At(name), TypedParquet.Images("image", Photo("a.jpg")), TypedParquet.Int32("label", 1));
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = _folder.Root }, _table));
        Assert.Contains("'train-0.parquet' names its split but 'more.parquet' does not", error.Message);
    }

    [Fact]
    public void Open_DamagedFile_SaysSo()
    {
        var whole = File.ReadAllBytes(SharedData.RequireReference("hf-clothing-mini.parquet"));
        var file = _folder.Write("cut.parquet", whole[..(whole.Length / 2)]);
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = file }, _table));
        Assert.StartsWith($"{file} cannot be read as Parquet", error.Message);
    }

    private static (byte[]?, string?)? Photo(string path) => ([(byte)'x'], path);
}
