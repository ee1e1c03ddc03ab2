using System.Text.Json;
using TransferPipeline.Evaluation;

namespace TransferPipeline.Tests.Evaluation.Statistics;

/// <summary>Against scikit-learn and scipy (MetricsGoldens.py).</summary>
public sealed class MetricsTests
{
    private static readonly JsonElement Goldens = JsonDocument
        .Parse(
            File.ReadAllText(
                Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Evaluation", "Statistics", "MetricsGoldens.json")
            )
        )
        .RootElement;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Metrics_SyntheticPredictions_EqualScikitLearns(int index)
    {
        var golden = Goldens.GetProperty("metrics")[index];
        var p = Read(golden);
        var confusion = Metrics.Confusion(p.ClassCount, p.Truth, p.Predicted);

        Assert.Equal(golden.GetProperty("accuracy").GetDouble(), p.Accuracy, 1e-12);
        Assert.Equal(golden.GetProperty("balanced_accuracy").GetDouble(), Metrics.BalancedAccuracy(confusion), 1e-12);
        Assert.Equal(golden.GetProperty("macro_f1").GetDouble(), Metrics.MacroF1(confusion), 1e-12);
        Assert.Equal(golden.GetProperty("log_loss").GetDouble(), Metrics.LogLoss(p), 1e-6);
        Assert.Equal(golden.GetProperty("ece").GetDouble(), Metrics.CalibrationError(Metrics.Calibration(p)), 1e-12);
        if (golden.GetProperty("top5").ValueKind != JsonValueKind.Null)
            Assert.Equal(golden.GetProperty("top5").GetDouble(), Metrics.TopK(p, 5), 1e-12);
        Assert.Equal(golden.GetProperty("confusion").EnumerateArray().SelectMany(r => Integers(r)), confusion.SelectMany(r => r));

        var perClass = Metrics.PerClass(confusion, [.. Enumerable.Range(0, p.ClassCount).Select(k => $"{k}")]);
        Assert.Equal(Integers(golden.GetProperty("support")), perClass.Select(c => c.Support));
        RequireRates(golden.GetProperty("precision"), perClass, c => c.Precision, k => confusion.Sum(row => row[k]) == 0);
        RequireRates(golden.GetProperty("recall"), perClass, c => c.Recall, k => perClass[k].Support == 0);
        RequireRates(golden.GetProperty("f1"), perClass, c => c.F1, k => perClass[k].Support == 0);
    }

    [Fact]
    public void Wilson_SharesFromNoneToAll_EqualScipys() =>
        Assert.All(
            Goldens.GetProperty("wilson").EnumerateArray(),
            golden =>
            {
                var interval = Intervals.Wilson(golden.GetProperty("k").GetInt32(), golden.GetProperty("n").GetInt32());
                Assert.Equal(golden.GetProperty("low").GetDouble(), interval.Low, 1e-12);
                Assert.Equal(golden.GetProperty("high").GetDouble(), interval.High, 1e-12);
            }
        );

    [Fact]
    public void McNemar_DiscordantPairs_EqualScipysBinomialTest() =>
        Assert.All(
            Goldens.GetProperty("mcnemar").EnumerateArray(),
            golden =>
                Assert.Equal(
                    golden.GetProperty("p").GetDouble(),
                    PairedTests.McNemar(golden.GetProperty("b").GetInt32(), golden.GetProperty("c").GetInt32()),
                    1e-10
                )
        );

    [Fact]
    public void StudentTwoSided_AndItsQuantile_EqualScipys()
    {
        Assert.All(
            Goldens.GetProperty("student").EnumerateArray(),
            golden =>
                Assert.Equal(
                    golden.GetProperty("p").GetDouble(),
                    Distributions.StudentTwoSided(golden.GetProperty("t").GetDouble(), golden.GetProperty("df").GetDouble()),
                    1e-10
                )
        );
        Assert.All(
            Goldens.GetProperty("quantile").EnumerateArray(),
            golden =>
                Assert.Equal(
                    golden.GetProperty("t").GetDouble(),
                    Distributions.StudentQuantile(0.05, golden.GetProperty("df").GetDouble()),
                    1e-9
                )
        );
    }

    [Fact]
    public void Stratified_WithoutSeed_EqualsStratifiedKFold() =>
        Assert.All(
            Goldens.GetProperty("folds").EnumerateArray(),
            golden =>
                Assert.Equal(
                    Integers(golden.GetProperty("folds")),
                    Folds.Stratified(Integers(golden.GetProperty("y")), golden.GetProperty("k").GetInt32(), null)
                )
        );

    [Fact]
    public void Means_TwoShares_HasTheIntervalOfOneDegreeOfFreedom()
    {
        // Mean 0.6 with standard error 0.01; t of one degree at 97.5 % is 12.7062.
        var interval = Intervals.Means([0.59, 0.61]);
        Assert.Equal(0.6, interval.Value, 12);
        Assert.Equal(0.6 - 0.127062, interval.Low, 6);
        Assert.Equal(0.6 + 0.127062, interval.High, 6);
        Assert.True(double.IsNaN(Intervals.Means([0.5]).Low));
    }

    [Fact]
    public void Holm_FivePValues_StepsDown() =>
        // By hand: 5 x 0.005, 4 x 0.01, 3 x 0.03, then max(0.09, 2 x 0.04), then 0.5.
        Assert.All(
            PairedTests.Holm([0.01, 0.04, 0.03, 0.005, 0.5]).Zip([0.04, 0.09, 0.09, 0.025, 0.5]),
            pair => Assert.Equal(pair.Second, pair.First, 1e-12)
        );

    [Fact]
    public void CorrectedResampledT_TenFolds_FollowsNadeauAndBengiosFormula()
    {
        double[] a = [0.80, 0.82, 0.79, 0.85, 0.81, 0.80, 0.84, 0.83, 0.78, 0.82];
        double[] b = [0.78, 0.81, 0.79, 0.80, 0.80, 0.79, 0.80, 0.82, 0.77, 0.80];
        var differences = a.Zip(b, (x, y) => x - y).ToArray();
        var mean = differences.Average();
        var variance = differences.Sum(d => (d - mean) * (d - mean)) / 9;
        var t = mean / Math.Sqrt((0.1 + (1.0 / 9)) * variance);

        Assert.Equal(Distributions.StudentTwoSided(t, 9), PairedTests.CorrectedResampledT(a, b, 1.0 / 9, 300), 1e-12);
        Assert.Equal(1, PairedTests.CorrectedResampledT(a, a, 1.0 / 9, 300));
    }

    [Fact]
    public void Bootstrap_OfOneClassEach_HoldsTheNormalInterval()
    {
        // One class of 400 with 300 hits: the bootstrap of recall is binomial, 0.75 +- 1.96 sqrt(0.75 x 0.25 / 400).
        var predicted = Enumerable.Range(0, 400).Select(i => i < 300 ? 0 : 1).ToArray();
        var p = new Predictions(2, [.. Enumerable.Range(0, 400)], new int[400], predicted, new float[800]);
        var (balanced, _) = Intervals.Bootstrap(p, 4000, seed: 3, threads: 2);

        Assert.Equal(0.75, balanced.Value, 1e-12);
        Assert.Equal(0.75 - (1.96 * Math.Sqrt(0.75 * 0.25 / 400)), balanced.Low, 0.006);
        Assert.Equal(0.75 + (1.96 * Math.Sqrt(0.75 * 0.25 / 400)), balanced.High, 0.006);
        Assert.Equal(balanced, Intervals.Bootstrap(p, 4000, seed: 3, threads: 1).BalancedAccuracy);
        Assert.NotEqual(balanced, Intervals.Bootstrap(p, 4000, seed: 4, threads: 1).BalancedAccuracy);
    }

    [Fact]
    public void Bootstrap_WithoutAMistake_IsWilsonsOfAsManyPhotos()
    {
        var truth = Enumerable.Range(0, 100).Select(i => i % 2).ToArray();
        var (balanced, f1) = Intervals.Bootstrap(
            new(2, [.. Enumerable.Range(0, 100)], truth, truth, new float[200]),
            500,
            seed: 3,
            threads: 2
        );

        Assert.Equal(Intervals.Wilson(100, 100), balanced);
        Assert.Equal(Intervals.Wilson(100, 100), f1);
    }

    /// <summary>All draws of a class of one photo are alike, and all draws of mistakes alone: that is no certainty.</summary>
    [Theory]
    [InlineData(20, 15)]
    [InlineData(20, 0)]
    [InlineData(120, 100)]
    public void Bootstrap_OfOnePhotoEach_IsWilsonsOfAsManyPhotos(int classes, int right)
    {
        int[] truth = [.. Enumerable.Range(0, classes)];
        var predicted = Array.ConvertAll(truth, k => k < right ? k : (k + 1) % classes);
        var p = new Predictions(classes, truth, truth, predicted, new float[classes * classes]);
        var (balanced, f1) = Intervals.Bootstrap(p, 200, seed: 3, threads: 1);
        var wilson = Intervals.Wilson(right, classes);
        Assert.Equal((wilson.Low, wilson.High), (balanced.Low, balanced.High));
        Assert.InRange(f1.Value, f1.Low, f1.High);
        Assert.NotEqual(f1.Low, f1.High);
    }

    [Fact]
    public void Bootstrap_WithoutAMistakeButFewOfAClass_IsWiderThanWilsons()
    {
        // 95 and 5 photos: the mean over classes varies as an accuracy of 4 / (1/95 + 1/5) = 19 photos.
        var truth = Enumerable.Range(0, 100).Select(i => i < 95 ? 0 : 1).ToArray();
        var (balanced, _) = Intervals.Bootstrap(
            new(2, [.. Enumerable.Range(0, 100)], truth, truth, new float[200]),
            500,
            seed: 3,
            threads: 2
        );

        Assert.Equal(Intervals.Wilson(19, 19).Low, balanced.Low, 1e-12);
        Assert.Equal(1, balanced.High);
    }

    [Fact]
    public void PerClass_WithoutPhotosOrPredictions_HasNoRates()
    {
        // The second class has no photo, the third is never predicted.
        var perClass = Metrics.PerClass(
            [
                [2, 1, 0],
                [0, 0, 0],
                [1, 1, 0],
            ],
            ["a", "b", "c"]
        );
        Assert.Equal([2.0 / 3, double.NaN, 0], perClass.Select(c => c.Recall));
        Assert.Equal([2.0 / 3, 0, double.NaN], perClass.Select(c => c.Precision));
        Assert.Equal([2.0 / 3, double.NaN, 0], perClass.Select(c => c.F1));
    }

    /// <summary>scikit-learn gives 0, with a warning, where a ratio has no denominator; here it is not a number.</summary>
    private static void RequireRates(JsonElement golden, ClassResult[] perClass, Func<ClassResult, double> rate, Predicate<int> isUndefined)
    {
        var expected = Numbers(golden);
        for (var k = 0; k < perClass.Length; k++)
        {
            Assert.Equal(isUndefined(k) ? double.NaN : expected[k], rate(perClass[k]), 1e-12);
            Assert.True(!isUndefined(k) || expected[k] == 0);
        }
    }

    private static Predictions Read(JsonElement golden)
    {
        var classes = golden.GetProperty("classes").GetInt32();
        var truth = Integers(golden.GetProperty("truth"));
        var probabilities = Numbers(golden.GetProperty("probabilities")).Select(v => (float)v).ToArray();
        var predicted = Enumerable
            .Range(0, truth.Length)
            .Select(i => Predictions.ArgMax(probabilities.AsSpan(i * classes, classes)))
            .ToArray();
        return new(classes, [.. Enumerable.Range(0, truth.Length)], truth, predicted, probabilities);
    }

    private static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetInt32())];

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetDouble())];
}
