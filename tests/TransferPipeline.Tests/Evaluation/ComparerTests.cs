using System.Text.Json;
using System.Text.RegularExpressions;
using TransferPipeline.Classifiers;
using TransferPipeline.Evaluation;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Evaluation;

public sealed partial class ComparerTests
{
    private static readonly CentroidTrainer Centroid = new();

    [Fact]
    public void Run_OnASplit_JudgesTheValidationPhotosAndRanksHeads()
    {
        var run = Comparer.Run(new(), [Synthetic.Set(separation: 1)], Heads("centroid,centroid:values=1"));
        var (all, one) = (run.Result.Heads[0], run.Result.Heads[1]);

        Assert.Equal(60, all.Confusion.Sum(r => r.Sum()));
        Assert.Equal(all.Confusion.Select((r, k) => r[k]).Sum() / 60.0, all.Accuracy.Value, 12);
        Assert.True(all.Accuracy.Value > one.Accuracy.Value + 0.2);
        Assert.True(all.TiedWithBest);
        Assert.True(double.IsNaN(all.PValue));
        Assert.False(one.TiedWithBest);
        Assert.InRange(one.PValue, 0, 0.05);
        Assert.StartsWith("centroid is best with accuracy 0.", run.Result.Verdict);
        Assert.Contains("centroid values=1 is worse (McNemar", run.Result.Verdict);
        Assert.Equal([30, 30, 30], run.Result.Data.Counts["train"]);
        Assert.Equal(2, run.Fitted.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void Run_SeveralHeads_ListsTheTestOfEachPair(int folds)
    {
        var result = Comparer
            .Run(new() { Folds = folds }, [Synthetic.Set(separation: 1)], Heads("centroid,centroid:values=1,centroid:values=3"))
            .Result;

        Assert.Equal([(0, 1), (0, 2), (1, 2)], result.Tests.Select(t => (t.First, t.Second)));
        var evaluated = result.Heads[0].Confusion.Sum(r => r.Sum());
        foreach (var test in result.Tests)
        {
            var (first, second) = (result.Heads[test.First], result.Heads[test.Second]);
            Assert.Equal(first.Accuracy.Value - second.Accuracy.Value, test.Difference, 12);
            Assert.Equal(
                (Right(first) - Right(second)) / (double)evaluated,
                (test.OnlyFirstRight - test.OnlySecondRight) / (double)evaluated,
                12
            );
            Assert.Equal(folds == 0 ? PairedTests.McNemar(test.OnlyFirstRight, test.OnlySecondRight) : test.PValue, test.PValue);
            Assert.InRange(test.AdjustedPValue, test.PValue, 1);
        }

        // Every head but the best has the adjusted value of its pair with the best.
        Assert.Equal(PairedTests.Holm([.. result.Tests.Select(t => t.PValue)]), result.Tests.Select(t => t.AdjustedPValue));
        Assert.Equal(result.Tests.Where(t => t.First == 0).Select(t => t.AdjustedPValue), result.Heads.Skip(1).Select(h => h.PValue));

        static int Right(HeadResult head) => head.Confusion.Select((row, k) => row[k]).Sum();
    }

    [Fact]
    public void Run_OnlyAHeadThatCameWithItsBackboneIsLeft_HasNoFewShotCurve()
    {
        var set = Synthetic.Set(classes: 2, columns: 2);
        var tuned = TunedHeads.Spec(Tuned.Head([1, 0, 0, 1], [0, 0], "synthetic.onnx"), set.Data);
        var run = Comparer.Run(
            new() { FewShotPerClass = [1, 2], CheckData = true },
            [set with { Trained = [tuned] }],
            HeadSpec.ParseList("knn:n_neighbors=1000", [], HeadCatalog.Trainers)
        );
        Assert.Equal("tuned", Assert.Single(run.Result.Heads).Name);
        // It was taken from a file and not trained, here or in what is written of it.
        Assert.Equal(double.NaN, run.Result.Heads[0].FitSeconds);
        Assert.Contains("\"fit_seconds\":null", ComparisonJson.Serialize(run.Result), StringComparison.Ordinal);
        Assert.Empty(run.Result.FewShot);
        Assert.Contains("no few-shot curve: no head is left that can be trained on a part of the photos", run.Result.Warnings);
    }

    [Fact]
    public void Run_BestHeadListedLast_EvaluatesTheOthersByTheirPairWithIt()
    {
        var result = Comparer.Run(new(), [Synthetic.Set(separation: 1)], Heads("centroid:values=1,centroid:values=2,centroid")).Result;
        Assert.StartsWith("centroid is best", result.Verdict);
        Assert.Equal([false, false, true], result.Heads.Select(h => h.TiedWithBest));
        Assert.Equal(result.Tests.Where(t => t.Second == 2).Select(t => t.AdjustedPValue), result.Heads.Take(2).Select(h => h.PValue));
        Assert.True(double.IsNaN(result.Heads[2].PValue));
    }

    [Fact]
    public void Run_WithFolds_JudgesEveryPhotoOnceARepeat()
    {
        var run = Comparer.Run(new() { Folds = 5, Repeats = 2 }, [Synthetic.Set()], Heads("centroid,centroid:values=2"));
        Assert.Equal(10, run.Result.Heads[0].FoldAccuracies.Length);
        Assert.Equal(2 * 150, run.Result.Heads[0].Confusion.Sum(r => r.Sum()));
        Assert.Equal(run.Result.Heads[0].FoldAccuracies.Average(), run.Result.Heads[0].Accuracy.Value, 12);
        Assert.StartsWith("repeated k-fold: 2 x 5 stratified folds of 150 photos of train, validation", run.Result.Protocol);
        Assert.Contains("corrected resampled t-test", run.Result.Verdict);
    }

    [Theory]
    [InlineData(0, "50,000 predictions of 50,000 classes are 2,500,000,000 probabilities")]
    [InlineData(2, "100,000 predictions of 50,000 classes are 5,000,000,000 probabilities")]
    public void Run_MoreProbabilitiesThanFitIntoAnArray_IsRefusedBeforeAnyFit(int folds, string found)
    {
        const int Classes = 50_000;
        var x = new FeatureMatrix(2 * Classes, 1);
        x.Data.AsSpan().Clear();
        var set = Synthetic.Source(
            x,
            [.. Enumerable.Range(0, 2 * Classes).Select(i => i % Classes)],
            [.. Enumerable.Range(0, 2 * Classes).Select(i => i < Classes ? "train" : "validation")],
            Classes
        );
        var error = Assert.Throws<UsageException>(() => Comparer.Run(new() { Folds = folds }, [set], Heads("centroid")));
        Assert.Equal($"{found}, at most 2,147,483,591 can be held: report a split of fewer photos, or use fewer repeats", error.Message);
    }

    /// <summary>
    /// Folds without a mistake agree with each other; an interval of no width would promise that there will never be one.
    /// </summary>
    [Theory]
    [InlineData(20, 1)]
    [InlineData(0.6, 2)]
    public void Run_WithFolds_HasAnIntervalAtLeastAsWideAsWilsons(double separation, int repeats)
    {
        var head = Comparer
            .Run(
                new() { Folds = 4, Repeats = repeats },
                [Synthetic.Set(separation: separation, perSplit: [("train", 12)])],
                Heads("centroid")
            )
            .Result.Heads[0];

        if (separation > 10)
            Assert.Equal((1, 1), (head.FoldAccuracies.Min(), head.Accuracy.High));
        var wilson = Intervals.Wilson((int)Math.Floor(head.Accuracy.Value * 36), 36);
        Assert.InRange(head.Accuracy.Low, 0, wilson.Low + 0.03);
        Assert.InRange(head.Accuracy.High, wilson.High, 1);
        Assert.True(head.Accuracy.High - head.Accuracy.Low > 0.09, $"{head.Accuracy}");
    }

    [Fact]
    public void Run_TwiceAndWithOneAndTwoThreads_GivesTheSameJsonButForSeconds()
    {
        var set = Synthetic.Set(separation: 0.7);
        string Json(int threads, int folds) =>
            Seconds()
                .Replace(
                    ComparisonJson.Serialize(
                        Comparer
                            .Run(
                                new() { Threads = threads, Folds = folds },
                                [set],
                                Heads("centroid:values=[1,2,4,8],centroid:heat=coarse-to-fine")
                            )
                            .Result
                    ),
                    ""
                );
        Assert.Equal(Json(1, 0), Json(2, 0));
        Assert.Equal(Json(2, 3), Json(1, 3));
        Assert.Equal(Json(2, 3), Json(2, 3));
    }

    [Fact]
    public void Run_SeveralHeadsWithSweeps_HasAVerdictOfShortNames()
    {
        var result = Comparer
            .Run(new(), [Synthetic.Set(separation: 1)], Heads("centroid:values=[2,4,8],heat=2,centroid:values=[1,2]"))
            .Result;
        Assert.Equal(["centroid heat=2 values=[2,4,8]", "centroid values=[1,2]"], result.Heads.Select(h => h.ShortName));
        var one = Comparer.Run(new(), [Synthetic.Set(separation: 1)], Heads("centroid:values=[2,4,8],heat=2")).Result;
        Assert.StartsWith("centroid reaches accuracy 0.", one.Verdict);
        Assert.All(one.Warnings, w => Assert.StartsWith("centroid: ", w));
    }

    [Fact]
    public void Run_TwoFeatureSets_ComparesHeadsAcrossThem()
    {
        var (a, b) = (Synthetic.Set(separation: 1, folder: "a"), Synthetic.Set(separation: 1, columns: 2, folder: "b"));
        var run = Comparer.Run(new(), [a, b], Heads("centroid,centroid:values=1"));
        Assert.Equal(
            ["centroid on model-of-a", "centroid values=1 on model-of-a", "centroid on model-of-b", "centroid values=1 on model-of-b"],
            run.Result.Heads.Select(h => h.Title)
        );
        Assert.Equal([0, 0, 1, 1], run.Result.Heads.Select(h => h.FeatureSet));
    }

    [Fact]
    public void Run_TwoFeatureSetsInAnotherOrder_MatchesPhotosByPath()
    {
        var a = Synthetic.Set(separation: 1);
        int[] reversed = [.. Enumerable.Range(0, a.Data.X.Rows).Reverse()];
        var b = new FeatureSource(
            a.Summary with
            {
                Folder = "b",
            },
            new()
            {
                X = a.Data.X.Select(reversed),
                Y = [.. reversed.Select(r => a.Data.Y[r])],
                Classes = a.Data.Classes,
                Rows = [.. reversed.Select(r => a.Data.Rows[r])],
            }
        );
        var run = Comparer.Run(new(), [a, b], Heads("centroid"));
        Assert.Equal(run.Result.Heads[0].LogLoss, run.Result.Heads[1].LogLoss, 4);
        Assert.Equal(1, run.Result.Heads[1].PValue);
    }

    [Fact]
    public void Run_FeatureSetsThatDoNotMatch_NamesTheDifference()
    {
        var a = Synthetic.Set(folder: "a");
        AssertBad(
            "photo 'train/class0/0000.jpg' is in split train of the first and in split test of the second",
            a,
            Synthetic.With(a, (r, i) => i == 0 ? r with { Split = "test" } : r)
        );
        AssertBad(
            "photo 'train/class0/0002.jpg' is only in a (1 photos are only in the first, 1 only in the second)",
            a,
            Synthetic.With(a, (r, i) => i == 2 ? r with { Path = "new.jpg" } : r)
        );
        AssertBad(
            "photo 'train/class0/0003.jpg' has label 'class0' in the first and 'cat' in the second",
            a,
            Synthetic.With(a, (r, i) => i == 3 ? r with { Label = "cat" } : r)
        );
        AssertBad(
            "photo 'train/class0/0004.jpg' was replaced between the extractions",
            a,
            Synthetic.With(a, (r, i) => i == 4 ? r with { ImageSha256 = new('1', 64) } : r)
        );
        static void AssertBad(string message, params FeatureSource[] sets) =>
            Assert.Contains(message, Assert.Throws<BadInputException>(() => Comparer.Run(new(), sets, Heads("centroid"))).Message);
    }

    [Fact]
    public void Run_BadRequests_SayWhatIsWrong()
    {
        var set = Synthetic.Set();
        AssertBad(
            "split validation has no photos (the feature set has train: 9); name another split or use folds",
            new(),
            Synthetic.Set(perSplit: [("train", 3)])
        );
        AssertBad("split test has no photos", new() { ScoreSplit = "test" }, set);
        AssertBad(
            "split validaton has no photos (the feature set has train: 90, validation: 60); did you mean 'validation'?",
            new() { ScoreSplit = "validaton" },
            set
        );
        AssertWrong("split train cannot be reported", new() { ScoreSplit = "train" }, set);
        AssertWrong("60 folds are more than any class has members (most: 50, 'class0'); use at most 50 folds", new() { Folds = 60 }, set);
        AssertWrong("--folds is 1, expected at least 2", new() { Folds = 1 }, set);
        AssertWrong(
            "folds evaluate all photos but those of test in turn, so split test cannot be reported with them",
            new() { Folds = 3, ScoreSplit = "test" },
            set
        );
        AssertWrong("3 repeats need folds, and there are none: add --folds", new() { Repeats = 3 }, set);
        AssertWrong("the validation split cannot choose values when it is what is reported", new() { ChooseBy = ChooseBy.Validation }, set);
        AssertBad("class 'class2' has one photo: folds need at least two", new() { Folds = 3 }, Lonely());
        AssertBad(
            "class 'class2' has no photo in split train",
            new(),
            Synthetic.With(Lonely(), (r, i) => r with { Split = i % 5 == 4 || r.Label == "class2" ? "validation" : "train" })
        );
        var broken = Synthetic.Set();
        broken.Data.X.Row(7)[3] = float.NaN;
        var noneOf = Synthetic.With(Lonely(), (r, i) => r with { Split = r.Label == "class2" ? "validation" : "train" });
        Assert.Equal(
            "class 'class2' has no photo in split train: a head cannot learn it",
            Assert.Throws<BadInputException>(() => HeadTraining.Run(new(), noneOf, Heads("centroid")[0], HeadTraining.UsualSplits)).Message
        );
        AssertBad(
            "the vector of photo 'train/class0/0007.jpg' (row 7 of synthetic) has NaN at position 3; extract that photo again or "
                + "leave it out",
            new(),
            broken
        );
        static void AssertBad(string message, ComparisonOptions options, FeatureSource set) =>
            Assert.Contains(message, Assert.Throws<BadInputException>(() => Comparer.Run(options, [set], Heads("centroid"))).Message);
        static void AssertWrong(string message, ComparisonOptions options, FeatureSource set) =>
            Assert.Contains(message, Assert.Throws<UsageException>(() => Comparer.Run(options, [set], Heads("centroid"))).Message);
        static FeatureSource Lonely()
        {
            var whole = Synthetic.Set(perSplit: [("train", 10)]);
            int[] y = [.. Enumerable.Range(0, 30).Select(i => i == 29 ? 2 : i % 2)];
            return Synthetic.Source(whole.Data.X, y, [.. y.Select(_ => "train")], 3);
        }
    }

    [Fact]
    public void Run_UnavailableHead_FailsUnlessOptional()
    {
        var missing = HeadSpec.Create(new CentroidTrainer("mlnet-sdca") { Unavailable = "Microsoft.ML is not in this build" });
        var error = Assert.Throws<UsageException>(() => Comparer.Run(new(), [Synthetic.Set()], [missing]));
        Assert.Equal("mlnet-sdca is unavailable: Microsoft.ML is not in this build", error.Message);

        var run = Comparer.Run(new(), [Synthetic.Set()], [missing with { Optional = true }, .. Heads("centroid")]);
        Assert.Single(run.Result.Heads);
        Assert.Contains("mlnet-sdca is left out: Microsoft.ML is not in this build", run.Result.Warnings);
        Assert.Equal(
            "no head to compare",
            Assert.Throws<UsageException>(() => Comparer.Run(new(), [Synthetic.Set()], [missing with { Optional = true }])).Message
        );
    }

    [Fact]
    public void Serialize_AComparison_GivesPlainNumbersAndNulls()
    {
        var json = JsonDocument
            .Parse(ComparisonJson.Serialize(Comparer.Run(new(), [Synthetic.Set()], Heads("centroid:heat=2")).Result))
            .RootElement;
        var head = json.GetProperty("heads")[0];
        Assert.Equal("centroid", head.GetProperty("name").GetString());
        Assert.InRange(
            head.GetProperty("accuracy").GetDouble(),
            head.GetProperty("accuracy_low").GetDouble(),
            head.GetProperty("accuracy_high").GetDouble()
        );
        Assert.True(head.GetProperty("fit_seconds").GetDouble() >= 0);
        Assert.Equal(2, head.GetProperty("parameters").GetProperty("heat").GetDouble());
        Assert.Equal("", head.GetProperty("parameters").GetProperty("note").GetString());
        Assert.Equal(JsonValueKind.Null, head.GetProperty("top5").ValueKind);
        Assert.Equal(
            JsonValueKind.Null,
            json.GetProperty("provenance").GetProperty("feature_sets")[0].GetProperty("extraction_seconds").ValueKind
        );
    }

    internal static IReadOnlyList<HeadSpec> Heads(string list) => HeadSpec.ParseList(list, [], [Centroid]);

    [GeneratedRegex("\"[a-z_]*_seconds\":[^,}]*")]
    private static partial Regex Seconds();
}
