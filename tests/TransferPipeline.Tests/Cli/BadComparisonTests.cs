using System.Text.Json.Nodes;

namespace TransferPipeline.Tests.Cli;

/// <summary>Vectors, heads and protocols that cannot be compared, through the command.</summary>
public sealed class BadComparisonTests : IDisposable
{
    private static readonly string[] Classes = ["cat", "dog", "owl"];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("C=0", "softmax: C is '0', expected a number from 1E-20 to 1E+20")]
    [InlineData("C=[0.1,-1]", "softmax: C is '-1', expected a number from 1E-20 to 1E+20")]
    [InlineData("scaling=[none,standart]", "softmax: scaling is 'standart', expected one of none, standard, l2; did you mean 'standard'?")]
    [InlineData("gamma=1", "softmax has no option 'gamma' (options: ")]
    public void Compare_WrongOption_SaysWhatIsExpected(string option, string expected) =>
        AssertRefused(Compare(Plain(), "softmax:" + option), expected);

    [Theory]
    [InlineData("softmax:class_weight=dgo:2")]
    [InlineData("knn,softmax:class_weight=[none,(cat:1,dgo:2)]")]
    public void Compare_WeightOfAClassThatIsNotThere_NamesTheNearest(string heads) =>
        AssertRefused(Compare(Plain(), heads), "there is no class 'dgo'; did you mean 'dog'? (classes: cat, dog, owl)");

    [Fact]
    public void Train_NaNInAStreamedVector_NamesThePhoto()
    {
        // Photos of split validation lie between and are not read.
        var photos = SyntheticFeatureSet.Photos(10, Classes, "validation", "train");
        var set = Write("nan-streamed", photos, v => v.Row(34)[1] = float.NaN);
        foreach (var head in (string[])["softmax", "ridge"])
        {
            var result = TransferProcess.Run(
                "train",
                "--features",
                set,
                "--head",
                head,
                "--stream",
                "--out",
                Path.Combine(_folder.Root, "x.onnx"),
                "--model",
                Path.Combine(SharedData.Repository, "models", "efficientnet-lite0.onnx")
            );
            AssertRefused(
                result,
                $"the vector of photo 'train/cat/0034.jpg' (row 34 of {set}/part-00000.parquet) has NaN at position 1; extract that "
                    + $"photo again or leave it out"
            );
        }
    }

    [Fact]
    public void Compare_UnknownHead_SuggestsTheNearest() =>
        AssertRefused(Compare(Plain(), "linear-svn"), "there is no head 'linear-svn'; did you mean 'linear-svm'?");

    [Fact]
    public void Compare_NaNOrInfinityInAVector_NamesThePhoto()
    {
        AssertRefused(
            Compare(Write("nan", Photos(), v => v.Row(4)[1] = float.NaN), "knn"),
            "nan) has NaN at position 1; extract that photo again or leave it out"
        );
        AssertRefused(
            Compare(Write("infinite", Photos(), v => v.Row(4)[5] = float.NegativeInfinity), "ridge", "--folds", "3"),
            "infinite) has infinity at position 5; extract that photo again or leave it out"
        );
    }

    [Fact]
    public void Compare_MoreFoldsThanMembers_SaysHowMany()
    {
        AssertRefused(
            Compare(Plain(), "ridge", "--folds", "25"),
            "25 folds are more than any class has members (most: 20, 'cat'); use at most 20 folds"
        );
        AssertRefused(Compare(Plain(), "ridge", "--folds", "1"), "--folds is 1, expected at least 2, or 0 for the split");
        AssertRefused(Compare(Plain(), "ridge", "--folds", "-3"), "--folds is -3, expected at least 2, or 0 for the split");
    }

    [Fact]
    public void Compare_AClassOfOneMember_IsNamed()
    {
        var set = Write("single", [.. Photos(), ("yak", "train")]);
        AssertRefused(
            Compare(set, "ridge", "--folds", "5"),
            "class 'yak' has one photo: folds need at least two of each class, one to train on and one to evaluate"
        );
    }

    [Fact]
    public void Compare_AClassOfFewMembers_IsWarnedOf()
    {
        var result = Compare(Write("few", [.. Photos(), ("yak", "train"), ("yak", "train"), ("yak", "train")]), "ridge", "--folds", "5");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains(
            "warning: class 'yak' has 3 photos, fewer than the 5 folds: some folds evaluate none of it",
            result.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Compare_FewShotBeyondASmallClass_IsWarnedOf()
    {
        var result = Compare(
            Write("small-class", [.. Photos(), ("yak", "train"), ("yak", "train"), ("yak", "validation")]),
            "ridge",
            "--few-shot",
            "1",
            "2",
            "4",
            "1000"
        );
        Assert.Equal(0, result.ExitCode);
        Assert.Contains(
            "warning: few-shot curve: class 'yak' has 2 photos to train on, so at 4, 1000 per class it gives only those",
            result.Error,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("few-shot", Compare(Plain(), "ridge", "--few-shot", "1", "10").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_OneClass_SaysSo() =>
        AssertRefused(Compare(Write("one", SyntheticFeatureSet.Photos(10, ["cat"], "train", "validation")), "ridge"), "one class");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Train_OneClassOrNoneOfAClass_NamesIt(bool stream)
    {
        TransferResult Train(string set) =>
            TransferProcess.Run([
                "train",
                "--features",
                set,
                "--head",
                "ridge",
                "--out",
                Path.Combine(_folder.Root, "x.onnx"),
                "--model",
                Path.Combine(SharedData.Repository, "models", "efficientnet-lite0.onnx"),
                .. stream ? (string[])["--stream"] : [],
            ]);

        AssertRefused(
            Train(Write("one", SyntheticFeatureSet.Photos(10, ["cat"], "train", "validation"))),
            "all photos are of one class, 'cat'; a classifier needs at least two"
        );
        AssertRefused(
            Train(Write("untrained", [.. Photos(), ("yak", "validation")])),
            "class 'yak' has no photo in split train: a head cannot learn it"
        );
        Assert.False(File.Exists(Path.Combine(_folder.Root, "x.onnx")));
    }

    [Fact]
    public void Compare_AnEmptySplit_NamesThoseThatAreThere()
    {
        var set = Write("train-only", SyntheticFeatureSet.Photos(10, Classes, "train", "test"));
        AssertRefused(Compare(set, "ridge"), "split validation has no photos (the feature set has train: 30, test: 30");
        AssertRefused(
            Compare(set, "ridge", "--on", "tset"),
            "split tset has no photos (the feature set has train: 30, test: 30); did you mean 'test'?"
        );
        Assert.EndsWith("?", Compare(set, "ridge", "--on", "tset").LastErrorLine);
        AssertRefused(
            Compare(set, "ridge:alpha=[1,2]", "--on", "test", "--choose-by", "validation"),
            "split validation has no photos to choose values by; choose by inner folds"
        );
        AssertRefused(Compare(Plain(), "ridge", "--on", "train"), "split train cannot be reported: heads are trained on it");
    }

    [Fact]
    public void Compare_WordsAndNumbersOutsideTheirRange_NameWhatIsValid()
    {
        AssertRefused(Compare(Plain(), "ridge", "--choose-by", "folds"), "--choose-by 'folds' is not one of inner-folds, validation");
        AssertRefused(
            Compare(Plain(), "ridge", "--near-duplicate-cosine", "95"),
            "--near-duplicate-cosine is '95', expected a number from 0.5 to 1"
        );
        AssertRefused(
            TransferProcess.Run("data", "check", "--data", _folder.Root, "--kind", "cvs"),
            "--kind 'cvs' is not one of auto, folder, csv, parquet, cifar10, cifar100, tar; did you mean 'csv'?"
        );
    }

    [Fact]
    public void Compare_NearDuplicateCosine_DecidesWhatCountsAsNearDuplicate()
    {
        int Pairs(params string[] more)
        {
            var result = TransferProcess.Run([
                "compare",
                "--features",
                Plain(),
                "--heads",
                "nearest-mean",
                "--check-data",
                "--json",
                .. more,
            ]);
            Assert.Equal(0, result.ExitCode);
            return JsonNode.Parse(result.Output)!["data_check"]!["near_duplicate_count"]!.GetValue<int>();
        }

        Assert.True(Pairs("--near-duplicate-cosine", "0.5") > Pairs());
        Assert.Equal(0, Pairs("--near-duplicate-cosine", "1"));
    }

    [Fact]
    public void Compare_FeatureSetsThatDoNotMatch_SaysInWhat()
    {
        var others = SyntheticFeatureSet.Photos(10, ["cat", "dog", "cow"], "train", "validation");
        AssertRefused(
            TransferProcess.Run("compare", "--features", Plain(), "--features", Write("other", others), "--heads", "ridge"),
            "other"
        );
        AssertRefused(
            TransferProcess.Run("compare", "--features", Plain(), "--features", Write("short", Photos()[..^1]), "--heads", "ridge"),
            "is only in"
        );
    }

    [Fact]
    public void Compare_ConstantColumns_AreNoError()
    {
        var set = Write(
            "constant",
            Photos(),
            vectors =>
            {
                for (var i = 0; i < vectors.Rows; i++)
                    (vectors.Row(i)[4], vectors.Row(i)[5]) = (0, 7);
            }
        );
        var result = Compare(
            set,
            "softmax,logistic,linear-svm,ridge,lda,nearest-mean,knn,svm-rbf,forest,mlp,linear-sgd",
            "--set",
            "scaling=standard",
            "--json"
        );
        Assert.Equal(0, result.ExitCode);
        var heads = JsonNode.Parse(result.Output)!["heads"]!.AsArray();
        Assert.Equal(11, heads.Count);
        Assert.All(heads, h => Assert.True(h!["accuracy"]!.GetValue<double>() > 0.8 && h["log_loss"] is not null, h.ToJsonString()[..200]));
    }

    [Fact]
    public void Compare_ReportWithoutThePhotos_SaysWhatItLacks()
    {
        var page = Path.Combine(_folder.Root, "report.html");
        var result = Compare(Plain(), "ridge,knn", "--report", page);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            "the page is without pictures: the photos are not at synthetic, where they were at the extraction; --data says where they are",
            result.LastErrorLine
        );
        Assert.DoesNotContain("data:image", File.ReadAllText(page), StringComparison.Ordinal);
    }

    private static List<(string Label, string Split)> Photos() => SyntheticFeatureSet.Photos(10, Classes, "train", "validation");

    private static TransferResult Compare(string set, string heads, params string[] more) =>
        TransferProcess.Run(["compare", "--features", set, "--heads", heads, .. more]);

    private static void AssertRefused(TransferResult result, string expected)
    {
        TransferResult.AssertRefused(result, expected);
        Assert.Equal("", result.Output);
    }

    private string Plain() => Write("plain", Photos());

    private string Write(string name, IReadOnlyList<(string Label, string Split)> photos, Action<FeatureMatrix>? change = null) =>
        SyntheticFeatureSet.Write(Path.Combine(_folder.Root, name), photos, change);
}
