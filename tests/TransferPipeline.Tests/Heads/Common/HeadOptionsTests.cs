using TransferPipeline.Evaluation;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Tests.Pipelines;

namespace TransferPipeline.Tests.Heads.Common;

public sealed class HeadOptionsTests
{
    public static TheoryData<string> Names => [.. HeadDocuments.Trainers.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Parse_ValuesAsText_GivesTheRecordBack(string name)
    {
        var trainer = HeadDocuments.Trainers.Single(t => t.Name == name);
        Assert.Equal(name, trainer.Defaults.Trainer.Name);
        Assert.NotEmpty(trainer.Options);
        Assert.Equal(trainer.Options.Count, trainer.Options.Select(o => o.Name).Distinct().Count());
        Assert.Equal(trainer.Defaults, HeadOptions.Parse(trainer, trainer.Defaults.Values));
        foreach (var option in trainer.Options)
        {
            var other = Other(option);
            var changed = trainer.Defaults.With(option.Name, other);
            Assert.NotEqual(trainer.Defaults, changed);
            Assert.Equal(other, changed.Values[option.Name]);
            Assert.Equal(trainer.Defaults, changed.With(option.Name, option.DefaultText));
        }
    }

    [Fact]
    public void Values_OfARecord_AreTheTextThatParseTakes()
    {
        var options = new LinearSvm
        {
            C = 0.1,
            Scaling = ScalingKind.Standard,
            Tolerance = 1e-8,
            FitIntercept = false,
        };
        Assert.Equal("linear-svm C=0.1 class_weight=none fit_intercept=false max_iter=1000 scaling=standard tol=1E-08", options.ToString());
    }

    [Fact]
    public void HeadSpec_OfARecord_HasATitleOfWhatDiffersFromTheDefaults()
    {
        HeadSpec[] specs = [new Softmax(), new LinearSvm { C = 0.1 }, new Knn { K = 3, Metric = DistanceMetric.Euclidean }];
        Assert.Equal(["softmax", "linear-svm C=0.1", "knn metric=euclidean n_neighbors=3"], specs.Select(s => s.Title));
        Assert.Equal(new LinearSvm { C = 0.1 }, specs[1].Options);
    }

    [Fact]
    public void Train_ValueOutOfRange_IsRefusedAsFromText()
    {
        var (x, y) = Mixture.Create(30, 4, 2, 1);
        var error = Assert.Throws<UsageException>(() =>
            new RidgeTrainer().Train(Mixture.Training(x, y, 30), new Ridge { Alpha = -1 }, new())
        );
        Assert.Equal("ridge: alpha is '-1', expected a number greater than 0", error.Message);
        Assert.Throws<UsageException>(() =>
        {
            HeadSpec spec = new Ridge { Alpha = 0 };
        });
    }

    [Fact]
    public void Train_OptionsOfAnotherHead_NamesBoth()
    {
        var (x, y) = Mixture.Create(30, 4, 2, 1);
        var error = Assert.Throws<UsageException>(() => new SoftmaxTrainer().Train(Mixture.Training(x, y, 30), new Logistic(), new()));
        Assert.Equal("softmax was given the options of logistic; expected those of softmax", error.Message);
    }

    private static string Other(DeclaredOption option) =>
        option.Kind switch
        {
            OptionKind.Choice => option.Choices.First(c => c != option.DefaultText),
            OptionKind.Flag => option.DefaultText == "true" ? "false" : "true",
            OptionKind.Integer => option.DefaultText == "7" ? "8" : "7",
            OptionKind.Number => "0.05",
            _ => "1",
        };
}
