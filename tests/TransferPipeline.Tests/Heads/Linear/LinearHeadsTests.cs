using System.Runtime.InteropServices;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Tests.Heads.Linear;

public sealed class LinearHeadsTests
{
    public static TheoryData<string, string> Heads =>
        new()
        {
            { "softmax", "C=1" },
            { "softmax", "scaling=standard;C=0.1" },
            { "softmax", "scaling=l2" },
            { "logistic", "C=1" },
            { "logistic", "scaling=l2" },
            { "linear-svm", "C=0.1" },
            { "linear-svm", "scaling=standard" },
            { "ridge", "alpha=10" },
            { "lda", "" },
            { "nearest-mean", "" },
            { "nearest-mean", "metric=cosine" },
        };

    [Theory]
    [MemberData(nameof(Heads))]
    public void Export_AnyHead_PredictsTheSameInOnnxRuntime(string head, string options)
    {
        foreach (var name in new[] { "four", "two", "wide" })
        {
            var data = Goldens.Data(name);
            HeadChecks.AgreesWithItself(Train(head, options, data), data.X, data.Rows);
        }
    }

    [Theory]
    [MemberData(nameof(Heads))]
    public void Train_OneAndTwoThreads_GivesTheSameBytes(string head, string options)
    {
        // Enough rows for several chunks, and enough hard passes for the preconditioner.
        var (x, y) = Mixture.Create(700, 150, 12, 7, spread: 3);
        var data = Mixture.Training(x, y, 700);
        var one = (LinearHead)Train(head, options, data, threads: 1);
        var two = (LinearHead)Train(head, options, data, threads: 2);
        Assert.True(MemoryMarshal.AsBytes<float>(one.Weights).SequenceEqual(MemoryMarshal.AsBytes<float>(two.Weights)));
        Assert.Equal(one.Bias, two.Bias);
        Assert.Equal(one.Fit.Objective, two.Fit.Objective);
    }

    [Theory]
    [InlineData("softmax")]
    [InlineData("logistic")]
    [InlineData("linear-svm")]
    [InlineData("ridge")]
    public void TrainPath_AnyOrder_GivesTheHeadsOfSingleFits(string head)
    {
        var (x, y) = Mixture.Create(400, 30, 5, 3, spread: 2);
        var data = Mixture.Training(x, y, 300);
        var trainer = (IPathTrainer)HeadCatalog.Find(head);
        double[] values = [1, 0.01, 10, 0.1];
        var path = trainer.TrainPath(data, HeadOptions.Parse(trainer), values, new TrainingContext());
        for (var i = 0; i < values.Length; i++)
        {
            var single = trainer.Train(data, HeadOptions.Parse(trainer).With(trainer.PathOption, values[i]), new TrainingContext());
            Assert.Equal(
                values[i],
                double.Parse(path[i].Options.Values[trainer.PathOption], System.Globalization.CultureInfo.InvariantCulture)
            );
            HeadChecks.AssertClose(Scores(single, x), Scores(path[i], x), 2e-3);
        }
    }

    [Fact]
    public void Train_SubsetOfRows_IgnoresTheOthers()
    {
        var (x, y) = Mixture.Create(200, 20, 3, 5);
        int[] rows = [.. Enumerable.Range(0, 200).Where(i => i % 3 != 1 || i % 2 == 0)];
        var some = x.Select(rows);
        foreach (var (head, options) in new[] { ("softmax", "scaling=standard"), ("ridge", ""), ("lda", "") })
        {
            var subset = Train(head, options, new TrainingRows(x, y, rows, 3));
            var copy = Train(
                head,
                options,
                new TrainingRows(some, Array.ConvertAll(rows, i => y[i]), [.. Enumerable.Range(0, rows.Length)], 3)
            );
            HeadChecks.AssertSameBytes(Scores(copy, x), Scores(subset, x));
        }
    }

    [Fact]
    public void Train_RepeatedRowsFewerThanValues_Converges()
    {
        var (x, y) = Mixture.Create(24, 80, 3, 9);
        int[] twice = [.. Enumerable.Range(0, 48).Select(i => i / 2)];
        var trainer = HeadCatalog.Find("softmax");
        var doubled = trainer.Train(
            new TrainingRows(x.Select(twice), Array.ConvertAll(twice, i => y[i]), [.. Enumerable.Range(0, 48)], 3),
            HeadOptions.Parse(trainer),
            new TrainingContext { Warn = w => Assert.Fail(w) }
        );
        var weighted = trainer.Train(
            Mixture.Training(x, y, 24),
            HeadOptions.Parse(trainer).With("C", 2),
            new TrainingContext { Warn = w => Assert.Fail(w) }
        );
        HeadChecks.AssertClose(Scores(weighted, x), Scores(doubled, x), 2e-3);
    }

    [Fact]
    public void Train_TooFewIterations_WarnsWithTheGap()
    {
        var (x, y) = Mixture.Create(300, 20, 3, 5, spread: 3);
        var warnings = new List<string>();
        var trainer = HeadCatalog.Find("softmax");
        var settings = HeadOptions.Parse(trainer, new Dictionary<string, string> { ["max_iter"] = "1", ["C"] = "100" });
        var head = trainer.Train(Mixture.Training(x, y, 300), settings, new TrainingContext { Warn = warnings.Add });
        Assert.False(head.Fit.Converged);
        Assert.Matches("stopped after 1 iterations at a relative gap of .*; raise max_iter or scale the vectors$", Assert.Single(warnings));
    }

    [Fact]
    public void Train_ToleranceBelowRounding_AdvisesToRaiseIt()
    {
        var (x, y) = Mixture.Create(300, 20, 3, 5, spread: 3);
        for (var i = 0; i < 300; i++)
            x.Row(i)[0] += 1e4f;
        var warnings = new List<string>();
        var trainer = HeadCatalog.Find("logistic");
        var options = new Dictionary<string, string>
        {
            ["tol"] = "1e-12",
            ["scaling"] = "none",
            ["C"] = "1",
        };
        var settings = HeadOptions.Parse(trainer, options);
        var head = trainer.Train(Mixture.Training(x, y, 300), settings, new TrainingContext { Warn = warnings.Add });
        Assert.False(head.Fit.Converged);
        Assert.EndsWith("rounding allows no smaller one: raise tol or scale the vectors", Assert.Single(warnings));
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "infinity")]
    public void Train_BadValue_NamesRowAndPosition(float value, string word)
    {
        foreach (var head in new[] { "softmax", "logistic", "linear-svm", "ridge", "lda", "nearest-mean" })
        {
            var (x, y) = Mixture.Create(40, 8, 2, 1);
            x.Row(17)[3] = value;
            var error = Assert.Throws<BadInputException>(() => Train(head, "", Mixture.Training(x, y, 40)));
            Assert.StartsWith($"the vector of row 17 has {word} at position 3", error.Message);
        }
    }

    [Fact]
    public void Train_OneClassOrAClassWithoutRows_IsBadInput()
    {
        var (x, y) = Mixture.Create(30, 4, 3, 1);
        foreach (var head in new[] { "softmax", "logistic", "linear-svm", "ridge", "lda", "nearest-mean" })
        {
            int[] noSecond = [.. Enumerable.Range(0, 30).Where(i => y[i] != 1)];
            Assert.Contains(
                "class 1 has no training row",
                Assert.Throws<BadInputException>(() => Train(head, "", new TrainingRows(x, y, noSecond, 3))).Message
            );
            Assert.Contains(
                "at least two",
                Assert
                    .Throws<BadInputException>(() => Train(head, "", new TrainingRows(x, new int[30], [.. Enumerable.Range(0, 30)], 1)))
                    .Message
            );
        }
    }

    [Theory]
    [InlineData("softmax", "C", "0", "a number from 1E-20 to 1E+20")]
    [InlineData("linear-svm", "C", "1e-46", "a number from 1E-20 to 1E+20")]
    [InlineData("ridge", "alpha", "-1", "greater than 0")]
    [InlineData("softmax", "scaling", "standart", "did you mean 'standard'?")]
    [InlineData("linear-svm", "c", "1", "did you mean 'C'?")]
    public void Settings_BadValue_IsUsageError(string head, string option, string value, string expected) =>
        Assert.Contains(
            expected,
            Assert
                .Throws<UsageException>(() =>
                    HeadOptions.Parse(HeadCatalog.Find(head), new Dictionary<string, string> { [option] = value })
                )
                .Message
        );

    [Theory]
    [InlineData("softmax", "class_weight", "0:1;2", "expected none, balanced or pairs")]
    [InlineData("softmax", "class_weight", "7:1", "classes 0 to 1")]
    [InlineData("lda", "shrinkage", "2", "expected auto or a number from 0 to 1")]
    public void Train_BadText_IsUsageError(string head, string option, string value, string expected)
    {
        var (x, y) = Mixture.Create(30, 4, 2, 1);
        var trainer = HeadCatalog.Find(head);
        var error = Assert.Throws<UsageException>(() =>
        {
            var settings = HeadOptions.Parse(trainer, new Dictionary<string, string> { [option] = value });
            trainer.Train(Mixture.Training(x, y, 30), settings, new TrainingContext());
        });
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Find_UnknownHead_SuggestsTheNearest() =>
        Assert.Contains("did you mean 'softmax'?", Assert.Throws<UsageException>(() => HeadCatalog.Find("sofmax")).Message);

    private static IHead Train(string head, string options, TrainingRows data, int threads = 2)
    {
        var trainer = HeadCatalog.Find(head);
        return trainer.Train(data, HeadOptions.Parse(trainer, Goldens.Options(options)), new TrainingContext { Threads = threads });
    }

    private static float[] Scores(IHead head, FeatureMatrix x) => HeadChecks.Scores(head, x, [.. Enumerable.Range(0, x.Rows)]);
}
