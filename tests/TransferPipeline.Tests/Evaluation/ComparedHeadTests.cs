using TransferPipeline.Evaluation;
using TransferPipeline.Heads;
using TransferPipeline.Reports;

namespace TransferPipeline.Tests.Evaluation;

public sealed class ComparedHeadTests
{
    [Fact]
    public void Read_AFileThatCannotBeRead_IsWrongInput()
    {
        const string File = "/proc/self/mem";
        if (!OperatingSystem.IsLinux())
            Assert.Skip("needs Linux");
        var error = Assert.Throws<BadInputException>(() => ComparedHead.Read(File, null));
        Assert.StartsWith(File + ": cannot be read: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AParameterTwice_IsRefused()
    {
        using var folder = new TempFolder();
        var json = ComparisonJson.Serialize(
            Comparer.Run(new(), [Synthetic.Set()], HeadSpec.ParseList("ridge", [], HeadCatalog.Trainers)).Result
        );
        Assert.Equal("ridge", ComparedHead.Read(folder.Write("whole.json", json), null).Name);
        var file = folder.Write("twice.json", json.Replace("\"parameters\":{", "\"parameters\":{\"alpha\":2,", StringComparison.Ordinal));
        Assert.Equal(
            $"{file}: not a comparison that this version wrote (the parameter 'alpha' is given twice)",
            Assert.Throws<BadInputException>(() => ComparedHead.Read(file, null)).Message
        );
    }

    [Fact]
    public void Read_MeansThatDifferInTheirLastBit_IsTheHeadThatTheVerdictCallsTheBest()
    {
        using var folder = new TempFolder();
        var result = Comparer.Run(new(), [Synthetic.Set()], HeadSpec.ParseList("ridge,lda", [], HeadCatalog.Trainers)).Result;
        // The same three folds, added in another order.
        double[] means = [(0.9 + 0.8 + 0.7) / 3, (0.7 + 0.8 + 0.9) / 3];
        Assert.NotEqual(means[0], means[1]);
        var (lower, higher) = means[0] < means[1] ? (means[0], means[1]) : (means[1], means[0]);
        var equal = result with
        {
            Heads =
            [
                result.Heads[0] with
                {
                    Accuracy = new(lower, 0.5, 1),
                    TiedWithBest = true,
                    PValue = double.NaN,
                },
                result.Heads[1] with
                {
                    Accuracy = new(higher, 0.5, 1),
                    TiedWithBest = true,
                    PValue = 1,
                },
            ],
        };

        Assert.Equal("ridge", ComparedHead.Read(folder.Write("equal.json", ComparisonJson.Serialize(equal)), null).Name);
        Assert.Equal("ridge", Ranking.Of(equal)[0].Head.Name);
        Assert.Equal(0, Verdict.MostAccurate([lower, higher]));
        Assert.Equal(1, Verdict.MostAccurate([lower, higher + 0.001]));
    }
}
