using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads.Networks;

/// <summary>The two heads that learn in epochs.</summary>
public sealed class EpochHeadTests
{
    public static TheoryData<string> Heads => ["mlp", "linear-sgd"];

    [Theory]
    [InlineData("mlp", "none", 3)]
    [InlineData("mlp", "standard", 2)]
    [InlineData("mlp", "l2", 4)]
    [InlineData("linear-sgd", "none", 2)]
    [InlineData("linear-sgd", "standard", 3)]
    [InlineData("linear-sgd", "l2", 3)]
    public void Train_AnyScaling_LearnsAndExports(string name, string scaling, int classes)
    {
        var (x, y) = Mixture.Create(600, 40, classes, 51);
        x.Row(5).Clear();
        foreach (ref var value in x.Data.AsSpan())
            value = 3 * value + 1;
        var trainer = Trainer(name);
        var settings = Mixture.Settings(
            trainer,
            ("scaling", scaling),
            ("solver", "adam"),
            ("learning_rate", "0.02"),
            ("batch_size", "32"),
            ("epochs", "30")
        );
        var head = trainer.Train(Mixture.Training(x, y, 400), settings, new() { Seed = 1 });

        int[] test = [.. Enumerable.Range(400, 200)];
        Assert.True(HeadChecks.Accuracy(head, x, y, test) > 0.9, $"accuracy {HeadChecks.Accuracy(head, x, y, test)}");
        HeadChecks.AgreesWithItself(head, x, [.. Enumerable.Range(0, 600)], 2e-5);
        Assert.Equal(30, head.Fit.History.Count);
        Assert.True(head.Fit.History[^1].TrainLoss < 0.7 * head.Fit.History[0].TrainLoss);
        Assert.All(head.Fit.History, e => Assert.True(double.IsNaN(e.ValidationLoss)));
        Assert.Equal(30 * 13, head.Fit.Iterations);
    }

    [Theory]
    [InlineData("mlp", "cycle", 4)]
    [InlineData("mlp", "all", 12)]
    [InlineData("linear-sgd", "cycle", 4)]
    [InlineData("linear-sgd", "all", 12)]
    public void Train_Views_AreSeenOneAnEpochOrAll(string name, string views, int steps)
    {
        // 40 photos of three views each, in batches of ten.
        var (x, y) = Mixture.Create(120, 8, 2, 57);
        int[] photos = [.. Enumerable.Range(0, 120).Select(r => r / 3)];
        var data = Mixture.Training(x, [.. photos.Select(p => p % 2)], 120) with { Photos = photos };
        var head = Trainer(name)
            .Train(data, Mixture.Settings(Trainer(name), ("views", views), ("batch_size", "10"), ("epochs", "1")), new());
        Assert.Equal(steps, head.Fit.Iterations);
    }

    [Theory]
    [MemberData(nameof(Heads))]
    public void Train_OneOrTwoThreads_GiveTheSameBytes(string name)
    {
        // Long enough vectors and batches that products are divided among threads.
        var (x, y) = Mixture.Create(500, 700, 3, 53);
        var trainer = Trainer(name);
        var given = new List<(string, string)> { ("batch_size", "128"), ("epochs", "2"), ("learning_rate", "0.01") };
        if (name == "mlp")
            given.AddRange([("hidden_layer_sizes", "300,20"), ("dropout", "0.5")]);
        var settings = Mixture.Settings(trainer, [.. given]);
        var data = Mixture.Training(x, y, 400) with { ValidationRows = [.. Enumerable.Range(400, 100)] };
        int[] rows = [.. Enumerable.Range(0, 500)];

        var one = trainer.Train(data, settings, new() { Threads = 1, Seed = 7 });
        var two = trainer.Train(data, settings, new() { Threads = 2, Seed = 7 });
        var other = trainer.Train(data, settings, new() { Threads = 2, Seed = 8 });

        HeadChecks.AssertSameBytes(HeadChecks.Scores(one, x, rows), HeadChecks.Scores(two, x, rows));
        Assert.Equal(one.Fit.History, two.Fit.History);
        Assert.NotEqual(HeadChecks.Scores(one, x, rows), HeadChecks.Scores(other, x, rows));
    }

    [Theory]
    [MemberData(nameof(Heads))]
    public void Train_BestWeights_AreThoseOfTheBestEpoch(string name)
    {
        var (x, y) = Mixture.Create(120, 30, 3, 57, 2.5);
        var trainer = Trainer(name);
        int[] validation = [.. Enumerable.Range(60, 60)];
        var data = Mixture.Training(x, y, 60) with { ValidationRows = validation };
        (string, string)[] given =
        [
            ("solver", "adam"),
            ("learning_rate", "0.03"),
            ("batch_size", "8"),
            ("epochs", "12"),
            ("scaling", "none"),
        ];

        var best = trainer.Train(data, Mixture.Settings(trainer, given), new());
        var last = trainer.Train(data, Mixture.Settings(trainer, [.. given, ("best_weights", "false")]), new());

        Assert.Equal(best.Fit.History, last.Fit.History);
        Assert.Equal(best.Fit.History.Max(e => e.ValidationAccuracy), HeadChecks.Accuracy(best, x, y, validation), 1e-9);
        Assert.Equal(last.Fit.History[^1].ValidationAccuracy, HeadChecks.Accuracy(last, x, y, validation), 1e-9);
        Assert.True(best.Fit.History.Max(e => e.ValidationAccuracy) > last.Fit.History[^1].ValidationAccuracy);
    }

    [Fact]
    public void Train_LossNeverFinite_NamesTheCure()
    {
        var (x, y) = Mixture.Create(60, 10, 2, 59);
        foreach (ref var value in x.Data.AsSpan())
            value *= 1e18f;
        var trainer = new LinearSgdTrainer();
        var settings = Mixture.Settings(trainer, ("learning_rate", "1e30"));
        var error = Assert.Throws<JobFailedException>(() => trainer.Train(Mixture.Training(x, y, 60), settings, new()));
        Assert.Equal("linear-sgd: the loss is not finite in epoch 1; lower learning_rate (1E+30) or choose another scaling", error.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Train_LossStopsBeingFinite_KeepsUsableWeightsAndWarns(bool validates)
    {
        // A penalty that multiplies the weights by -1e9 a step; one step an epoch.
        var (x, y) = Mixture.Create(80, 10, 2, 59);
        var trainer = new LinearSgdTrainer();
        var settings = Mixture.Settings(
            trainer,
            ("learning_rate", "1"),
            ("weight_decay", "1e9"),
            ("momentum", "0"),
            ("batch_size", "60"),
            ("epochs", "12"),
            ("best_weights", "false")
        );
        var warnings = new List<string>();
        var data = Mixture.Training(x, y, 60) with { ValidationRows = validates ? [.. Enumerable.Range(60, 20)] : [] };

        var head = trainer.Train(data, settings, new() { Warn = warnings.Add });

        Assert.False(head.Fit.Converged);
        Assert.InRange(head.Fit.History.Count, 2, 6);
        Assert.Contains("the loss is not finite in epoch", Assert.Single(warnings));
        Assert.All(HeadChecks.Scores(head, x, [.. Enumerable.Range(0, 80)]), s => Assert.True(float.IsFinite(s)));
    }

    [Fact]
    public void Train_LastEpochsScoresOverflow_KeepsTheWeightsBeforeAndWarns()
    {
        // A penalty that multiplies the weights by -1.3e9 a step, one step an epoch: after four, the weights are finite and
        // their products are not.
        var (x, y) = Mixture.Create(60, 10, 2, 59);
        foreach (ref var value in x.Data.AsSpan())
            value *= 1000;
        var trainer = new LinearSgdTrainer();
        var warnings = new List<string>();
        int[] rows = [.. Enumerable.Range(0, 60)];
        IHead Train(string epochs) =>
            trainer.Train(
                Mixture.Training(x, y, 60),
                Mixture.Settings(
                    trainer,
                    ("learning_rate", "1"),
                    ("weight_decay", "1.3e9"),
                    ("momentum", "0"),
                    ("batch_size", "60"),
                    ("epochs", epochs)
                ),
                new() { Warn = warnings.Add }
            );

        var before = Train("3");
        Assert.True(before.Fit.Converged);
        Assert.Empty(warnings);
        var head = Train("4");

        Assert.False(head.Fit.Converged);
        Assert.StartsWith(
            "linear-sgd: the loss is not finite in epoch 4, the weights of epoch 3 are kept; lower learning_rate (1)",
            Assert.Single(warnings)
        );
        HeadChecks.AssertSameBytes(HeadChecks.Scores(before, x, rows), HeadChecks.Scores(head, x, rows));
    }

    [Theory]
    [MemberData(nameof(Heads))]
    public void Train_ClassWeights_MoveTheBoundary(string name)
    {
        // One photo in ten is of class 1; balanced weights find more of them.
        var (x, _) = Mixture.Create(500, 8, 2, 61, 2);
        var y = Enumerable.Range(0, 500).Select(i => i % 10 == 1 ? 1 : 0).ToArray();
        for (var i = 0; i < 500; i++)
            x.Row(i)[0] += y[i];
        var trainer = Trainer(name);
        int[] rare = [.. Enumerable.Range(0, 500).Where(i => y[i] == 1)];
        (string, string)[] given = [("solver", "adam"), ("learning_rate", "0.01"), ("batch_size", "50"), ("epochs", "15")];
        var data = Mixture.Training(x, y, 500);
        var equal = trainer.Train(data, Mixture.Settings(trainer, given), new());
        var balanced = trainer.Train(data, Mixture.Settings(trainer, [.. given, ("class_weight", "balanced")]), new());
        Assert.True(HeadChecks.Accuracy(balanced, x, y, rare) > HeadChecks.Accuracy(equal, x, y, rare) + 0.2);
    }

    [Theory]
    [InlineData("512,x")]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("100000")]
    public void Mlp_BadHiddenSizes_SaysWhatIsExpected(string text)
    {
        var (x, y) = Mixture.Create(20, 4, 2, 3);
        var trainer = new MlpTrainer();
        var error = Assert.Throws<UsageException>(() =>
            trainer.Train(Mixture.Training(x, y, 20), Mixture.Settings(trainer, ("hidden_layer_sizes", text)), new())
        );
        Assert.Equal(
            $"mlp: hidden_layer_sizes is '{text}', expected widths of 1 to 65536 with commas between, such as 512,128",
            error.Message
        );
    }

    [Theory]
    [InlineData("learning_rate", "0", "linear-sgd: learning_rate is '0', expected a number greater than 0")]
    [InlineData("batch_size", "4.5", "linear-sgd: batch_size is '4.5', expected a whole number of at least 1")]
    [InlineData("solver", "lbfgs", "linear-sgd: solver is 'lbfgs', expected one of sgd, adam")]
    public void Settings_BadValue_IsNamed(string name, string value, string message) =>
        Assert.StartsWith(message, Assert.Throws<UsageException>(() => Mixture.Settings(new LinearSgdTrainer(), (name, value))).Message);

    private static IHeadTrainer Trainer(string name) => name == "mlp" ? new MlpTrainer() : new LinearSgdTrainer();
}
