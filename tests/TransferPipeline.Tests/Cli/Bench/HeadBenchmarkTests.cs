using TransferPipeline.Cli.Bench;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Tests.Heads;

namespace TransferPipeline.Tests.Cli.Bench;

public sealed class HeadBenchmarkTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("transfer-bench-").FullName;

    [Fact]
    public void Run_HeadsAndAPath_TimesEachAndKeepsCoefficients()
    {
        var (vectors, labels) = Files(120, 10, 3);
        var results = HeadBenchmark.Run(
            vectors,
            labels,
            "softmax:C=[0.1,1],knn,ridge:alpha=2",
            HeadCatalog.Trainers,
            2,
            2,
            Path.Combine(_folder, "out"),
            _ => { },
            TestContext.Current.CancellationToken
        );
        Assert.Equal(["softmax", "softmax", "knn", "ridge"], results.Select(r => r.Head));
        Assert.Equal(["0.1", "1"], results.Take(2).Select(r => r.Parameters["C"]));
        Assert.All(results, r => Assert.Equal(2, r.Seconds.Length));
        Assert.True(results[0].Objective < results[1].Objective);
        Assert.Null(results[2].Weights);
        var weights = NpyFile.ReadMatrix(results[3].Weights!);
        Assert.Equal((3, 10), (weights.Rows, weights.Columns));
    }

    [Fact]
    public void Run_LabelsOfAnotherSet_NamesBothLengths()
    {
        var (vectors, _) = Files(20, 4, 2);
        var labels = Path.Combine(_folder, "other.npy");
        WriteLabels(labels, [0, 1, 1]);
        Assert.Contains(
            "has 20 rows",
            Assert
                .Throws<BadInputException>(() =>
                    HeadBenchmark.Run(
                        vectors,
                        labels,
                        "ridge",
                        HeadCatalog.Trainers,
                        1,
                        1,
                        null,
                        _ => { },
                        TestContext.Current.CancellationToken
                    )
                )
                .Message
        );
    }

    [Fact]
    public void ReadMatrix_CutOff_IsBadInput()
    {
        var (vectors, _) = Files(20, 4, 2);
        var bytes = File.ReadAllBytes(vectors);
        foreach (var length in new[] { 0, 3, 8, 11, 40, bytes.Length - 1 })
        {
            File.WriteAllBytes(vectors, bytes[..length]);
            Assert.StartsWith(vectors, Assert.Throws<BadInputException>(() => NpyFile.ReadMatrix(vectors)).Message);
        }
    }

    [Theory]
    [InlineData("(20, 4)", "(1073741824, 1073741824)")]
    [InlineData("(20, 4)", "(2147483647, 1)")]
    [InlineData("(20, 4)", "(20, 0)")]
    [InlineData("(20, 4)", "(5, 20)")]
    public void ReadMatrix_ShapeOfMoreThanTheFileHolds_IsBadInput(string shape, string changed)
    {
        var (vectors, _) = Files(20, 4, 2);
        // The header ends with blanks, which give way.
        var text = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(vectors));
        Assert.Contains(shape + ", }", text, StringComparison.Ordinal);
        var longer = new string(' ', changed.Length - shape.Length);
        File.WriteAllBytes(
            vectors,
            System.Text.Encoding.Latin1.GetBytes(text.Replace($"{shape}, }}{longer}", $"{changed}, }}", StringComparison.Ordinal))
        );
        Assert.StartsWith(vectors, Assert.Throws<BadInputException>(() => NpyFile.ReadMatrix(vectors)).Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void WriteLabels(string file, int[] labels)
    {
        // The same file as for floats but for the type in its header.
        NpyFile.Write(file, System.Runtime.InteropServices.MemoryMarshal.Cast<int, float>(labels), labels.Length);
        var bytes = File.ReadAllBytes(file);
        bytes[System.Text.Encoding.Latin1.GetString(bytes).IndexOf("<f4", StringComparison.Ordinal) + 1] = (byte)'i';
        File.WriteAllBytes(file, bytes);
    }

    private (string Vectors, string Labels) Files(int rows, int columns, int classes)
    {
        var (x, y) = Mixture.Create(rows, columns, classes, 4);
        var (vectors, labels) = (Path.Combine(_folder, "x.npy"), Path.Combine(_folder, "y.npy"));
        NpyFile.Write(vectors, x.Data, rows, columns);
        WriteLabels(labels, y);
        return (vectors, labels);
    }
}
