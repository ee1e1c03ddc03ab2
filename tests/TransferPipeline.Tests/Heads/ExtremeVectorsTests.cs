using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Tests.Heads;

/// <summary>Every head on vectors at the edges of what comes: it trains to probabilities, or refuses with a reason.</summary>
public sealed class ExtremeVectorsTests
{
    public static TheoryData<string> Names => [.. HeadCatalog.Trainers.Select(t => t.Name)];

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var head in HeadCatalog.Trainers.Select(t => t.Name))
        {
            foreach (
                var name in new[]
                {
                    "constant columns",
                    "one value",
                    "fewer rows than values",
                    "a class of one row",
                    "copies",
                    "tiny",
                    "large",
                    "two rows",
                }
            )
                cases.Add(head, name);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Train_AtTheEdges_GivesProbabilitiesOrAReason(string name, string vectors)
    {
        var (x, y) = Make(vectors);
        var trainer = HeadCatalog.Find(name);
        var given = new Dictionary<string, string>
        {
            ["scaling"] = "standard",
            ["n_neighbors"] = "2",
            ["n_estimators"] = "20",
        };
        var settings = HeadOptions.Parse(trainer, given.Where(g => trainer.Options.Any(o => o.Name == g.Key)).ToDictionary());
        int[] rows = [.. Enumerable.Range(0, x.Rows)];
        IHead Train() => trainer.Train(new(x, y, rows, y.Max() + 1), settings, new TrainingContext { Threads = 2 });
        if (name == "lda" && vectors == "two rows")
        {
            Assert.StartsWith("lda: every class has one training row only", Assert.Throws<BadInputException>(Train).Message);
            return;
        }

        var head = Train();
        var probabilities = HeadChecks.Probabilities(head, x, rows);
        for (var i = 0; i < rows.Length; i++)
            Assert.Equal(1, probabilities.Skip(i * head.ClassCount).Take(head.ClassCount).Sum(p => (double)p), 1e-4);

        // Where most columns distinguish the classes, so does each head; "copies" has the classes of a few rows at random.
        if (vectors is "constant columns" or "tiny" or "large" or "fewer rows than values")
            Assert.True(HeadChecks.Accuracy(head, x, y, rows) > 0.7, $"accuracy {HeadChecks.Accuracy(head, x, y, rows)}");
    }

    [Theory]
    [InlineData("softmax")]
    [InlineData("ridge")]
    [InlineData("knn")]
    [InlineData("svm-rbf")]
    [InlineData("mlp")]
    public void Train_SquaresBeyondFloat_NamesTheRow(string name)
    {
        var (x, y) = Mixture.Create(40, 8, 2, 1);
        x.Row(17)[3] = -2e20f;
        var trainer = HeadCatalog.Find(name);
        var error = Assert.Throws<BadInputException>(() => trainer.Train(Mixture.Training(x, y, 40), HeadOptions.Parse(trainer), new()));
        Assert.Equal(
            "the vector of row 17 has values whose squares are too large for float32, the largest 2.0e+20; divide the vectors first",
            error.Message
        );
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Score_NaN_ShowsOrIsNamed(string name)
    {
        var (x, y) = Mixture.Create(80, 16, 3, 1);
        var trainer = HeadCatalog.Find(name);
        var given = trainer.Options.Any(o => o.Name == "n_estimators") ? new Dictionary<string, string> { ["n_estimators"] = "20" } : [];
        var head = trainer.Train(Mixture.Training(x, y, 64), HeadOptions.Parse(trainer, given), new());
        x.Row(70)[2] = float.NaN;
        int[] rows = [69, 70, 71];
        if (name is "knn" or "forest")
        {
            Assert.Equal(
                "the vector of row 70 has NaN at position 2; extract that photo again or leave it out",
                Assert.Throws<BadInputException>(() => HeadChecks.Scores(head, x, rows)).Message
            );
            return;
        }

        var scores = HeadChecks.Scores(head, x, rows);
        Assert.All(scores[3..6], s => Assert.True(float.IsNaN(s)));
        Assert.All([.. scores[..3], .. scores[6..]], s => Assert.True(float.IsFinite(s)));
    }

    [Theory]
    [InlineData("softmax", "1e-20", "0:1e-30", "C=1E-20 times a class weight of 1E-30 is beyond float32")]
    [InlineData("logistic", "1e20", "1:1e30", "C=1E+20 times a class weight of 1E+30 is beyond float32")]
    [InlineData("linear-svm", "1e-20", "0:1e-30", "C=1E-20 times a class weight of")]
    public void Train_WeightsBeyondFloat_AreRefused(string name, string c, string classWeight, string problem)
    {
        var (x, y) = Mixture.Create(60, 8, 3, 1);
        var trainer = HeadCatalog.Find(name);
        var settings = Mixture.Settings(trainer, ("C", c), ("class_weight", classWeight));
        Assert.StartsWith(problem, Assert.Throws<UsageException>(() => trainer.Train(Mixture.Training(x, y, 60), settings, new())).Message);
    }

    [Fact]
    public async Task DualCoordinateDescent_GapThatIsNoNumber_GivesUp()
    {
        var (x, y) = Mixture.Create(60, 8, 2, 1);
        var descent = new DualCoordinateDescent(RowSet.View(x, [.. Enumerable.Range(0, 60)], y), [1], bias: true, threads: 1);
        var nothing = LossWeights.ByRow([0, 0]);
        var found = await Task.Run(() => Run(descent, nothing), TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.False(Assert.Single(found).Reached(1e-6));

        static unsafe OutputStart[] Run(DualCoordinateDescent descent, LossWeights weights)
        {
            using var parameters = new FloatBuffer(LinearObjective.StrideOf(8));
            return descent.Run(weights, 1e-6, parameters.Pointer, LinearObjective.StrideOf(8), new());
        }
    }

    [Fact]
    public void SvmRbf_VectorsTooSmallForGamma_SaysSo()
    {
        var (x, y) = Scaled(1e-25);
        var trainer = HeadCatalog.Find("svm-rbf");
        var error = Assert.Throws<BadInputException>(() =>
            trainer.Train(Mixture.Training(x, y, x.Rows), HeadOptions.Parse(trainer), new())
        );
        Assert.StartsWith("svm-rbf: gamma is ", error.Message);
        Assert.EndsWith("set scaling=standard", error.Message);
    }

    [Fact]
    public void LinearHead_WeightsThatAreNoNumbers_AreRefused()
    {
        var settings = HeadOptions.Parse(HeadCatalog.Find("softmax"));
        var error = Assert.Throws<BadInputException>(() =>
            LinearHead.Create("softmax", [1, 1e39, 3, 4], [0, 0], FeatureScaling.None, LinearLink.Softmax, settings, new())
        );
        Assert.StartsWith("softmax: the weights are no finite numbers", error.Message);
    }

    [Theory]
    [InlineData(-20)]
    [InlineData(-60)]
    [InlineData(-200)]
    public void Logistic_ScoresFarBelowZero_KeepTheirOrderAndSum(double shift)
    {
        // Of a vector far from all that was trained on, every sigmoid may be 0 in float32.
        var (x, y) = Mixture.Create(90, 6, 3, 5);
        var trainer = HeadCatalog.Find("logistic");
        var head = (LinearHead)trainer.Train(Mixture.Training(x, y, 90), HeadOptions.Parse(trainer), new());
        var far = LinearHead.Create(
            "logistic",
            Array.ConvertAll(head.Weights, w => (double)w),
            [shift - 3, shift - 0.5, shift],
            FeatureScaling.None,
            LinearLink.NormalizedSigmoids,
            head.Options,
            head.Fit
        );
        int[] rows = [.. Enumerable.Range(0, 90)];
        var scores = HeadChecks.Scores(far, x, rows);
        HeadChecks.AgreesWithItself(far, x, rows);
        var probabilities = HeadChecks.Probabilities(far, x, rows);
        for (var i = 0; i < scores.Length; i += 3)
        {
            // Sigmoids so small are exponentials.
            var top = Math.Max(scores[i], Math.Max(scores[i + 1], scores[i + 2]));
            var sum = Math.Exp(scores[i] - top) + Math.Exp(scores[i + 1] - top) + Math.Exp(scores[i + 2] - top);
            Assert.Equal(Math.Exp(scores[i + 1] - top) / sum, probabilities[i + 1], 1e-5);
        }
    }

    private static (FeatureMatrix X, int[] Y) Make(string name)
    {
        switch (name)
        {
            case "constant columns":
                var (x, y) = Scaled(1);
                for (var r = 0; r < x.Rows; r++)
                    (x.Row(r)[3], x.Row(r)[4], x.Row(r)[5]) = (0, 1000, -0.1f);
                return (x, y);
            case "one value":
                return Mixture.Create(120, 1, 2, 7, 0.5);
            case "fewer rows than values":
                return Mixture.Create(20, 200, 4, 7, 0.5);
            case "a class of one row":
                var (lonely, labels) = Mixture.Create(31, 20, 3, 7, 0.5);
                return (lonely, [.. labels.Select((_, r) => r == 30 ? 2 : r % 2)]);
            case "copies":
                var (few, of) = Scaled(1);
                return (few.Select([.. Enumerable.Range(0, 120).Select(r => r % 7)]), of);
            case "tiny":
                return Scaled(1e-20);
            case "large":
                return Scaled(1e18);
            default:
                return Mixture.Create(2, 5, 2, 7, 0.5);
        }
    }

    private static (FeatureMatrix X, int[] Y) Scaled(double factor)
    {
        var (x, y) = Mixture.Create(120, 20, 4, 7, 0.5);
        foreach (ref var value in x.Data.AsSpan())
            value = (float)(value * factor);
        return (x, y);
    }
}
