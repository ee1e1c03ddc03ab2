using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

public sealed class DatasetCheckTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_Clothing_CountsClassesBySplit()
    {
        var report = DatasetCheck.Run(
            new DatasetOptions { Path = SharedData.RequireClothing() },
            cancellation: TestContext.Current.CancellationToken
        );

        Assert.Equal(3068 + 341, report.Photos);
        Assert.Equal(DatasetKind.Folder, report.Kind);
        Assert.Equal(20, report.Counts.Count);
        Assert.Equal(new ClassCount(Splits.Train, "dress", 241), report.Counts[0]);
        Assert.Equal(new ClassCount(Splits.Validation, "t-shirt", 81), report.Counts[^1]);
    }

    [Fact]
    public void Run_Copies_AreFoundWithTheirKind()
    {
        foreach (
            var (path, content) in new[]
            {
                ("train/a/1.jpg", "same"),
                ("train/a/2.jpg", "same"),
                ("train/a/3.jpg", "else"),
                ("train/b/4.jpg", "mine"),
                ("val/a/5.jpg", "else"),
                ("val/b/6.jpg", "same"),
                ("val/b/7.jpg", "other length"),
                ("train/a/8.jpg", ""),
                ("train/b/9.jpg", ""),
            }
        )
            _folder.Write(path, content);
        var report = DatasetCheck.Run(new DatasetOptions { Path = _folder.Root }, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(
            [
                "train/a/2.jpg: the same photo twice in one class and split (train/a/1.jpg)",
                "val/a/5.jpg: the same photo as one of another split: a head that memorized it counts as right (train/a/3.jpg)",
                "val/b/6.jpg: the same photo as one of another class (train/a/1.jpg)",
            ],
            report.Problems.Select(p => $"{p.Path}: {p.Problem}").Where(p => p.Contains("the same photo", StringComparison.Ordinal))
        );
    }

    [Fact]
    public void Run_PhotosThatCannotBeRead_AreNamedAndTheReportGoesOn()
    {
        foreach (var file in new[] { "bad.parquet", "good.parquet" })
            _folder.Write(file, "PAR1");
        var report = DatasetCheck.Run(
            new DatasetOptions { Path = _folder.Root },
            new HalfReadable(),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(4, report.Photos);
        Assert.Equal(
            ["bad.parquet#0: cannot be read (Input/output error)", "bad.parquet#1: cannot be read (Input/output error)"],
            report.Problems.Select(p => p.ToString()).Where(p => p.Contains("cannot be read", StringComparison.Ordinal))
        );
        Assert.Contains(
            report.Problems,
            p => p.Path == "good.parquet#1" && p.Problem.StartsWith("the same photo", StringComparison.Ordinal)
        );
    }

    /// <summary>Two rows per file with the same photo; that of one file is on a broken disk.</summary>
    private sealed class HalfReadable : IPhotoTable
    {
        public ParquetDescription Describe(string file) =>
            new([("image.bytes", ColumnType.Binary), ("label", ColumnType.Text)], new Dictionary<string, string>(), 2);

        public List<PhotoTableRow> ReadIndex(string file, string imageColumn, string? labelColumn) =>
            [new(4, null, "a"), new(4, null, "a")];

        public byte[][] ReadPhotos(string file, string imageColumn, int firstRow, int count) =>
            file.EndsWith("bad.parquet", StringComparison.Ordinal)
                ? throw new IOException("Input/output error")
                :
                [
                    [1, 2, 3, 4],
                    [1, 2, 3, 4],
                ];
    }

    [Theory]
    [InlineData(20)]
    [InlineData(21)]
    [InlineData(30)]
    public void ProblemList_ManyOfAKind_ListsTwentyAndCountsTheRest(int count)
    {
        var problems = new ProblemList();
        problems.Add("first", "of its own");
        for (var i = 0; i < count; i++)
            problems.Add($"photo {i}", "broken", $" at {i}");

        var listed = problems.ToList();
        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => new DatasetProblem($"photo {i}", $"broken at {i}")).Prepend(new("first", "of its own")),
            listed.Take(21)
        );
        Assert.Equal(count == 20 ? [] : [new("", $"broken: {count - 20} more, the last is photo {count - 1}")], listed.Skip(21));
    }
}
