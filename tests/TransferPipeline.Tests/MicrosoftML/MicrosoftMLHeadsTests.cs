using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Trainers.LightGbm;
using TransferPipeline.Heads.Common;
using TransferPipeline.MicrosoftML;
using TransferPipeline.Tests.Heads;

namespace TransferPipeline.Tests.MicrosoftML;

public sealed class MicrosoftMLHeadsTests
{
    private const int Train = 150,
        Columns = 12,
        Classes = 3;

    private static readonly (FeatureMatrix X, int[] Y) Data = Mixture.Create(210, Columns, Classes, 7, 0.6);
    private static readonly int[] Rest = [.. Enumerable.Range(Train, 60)];

    public static TheoryData<string> Linear => [.. MicrosoftMLHeads.Trainers.Where(t => t.Defaults is IScaledHead).Select(t => t.Name)];

    public static TheoryData<string> Trees => [.. MicrosoftMLHeads.Trainers.Where(t => t.Defaults is not IScaledHead).Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Linear))]
    public void Train_LinearHead_LearnsAndExports(string name)
    {
        var head = Fit(name);
        Assert.InRange(HeadChecks.Accuracy(head, Data.X, Data.Y, Rest), 0.85, 1);
        HeadChecks.AgreesWithItself(head, Data.X, Rest);
        HeadChecks.AssertSameBytes(HeadChecks.Scores(head, Data.X, Rest), HeadChecks.Scores(Fit(name, threads: 2), Data.X, Rest));
    }

    [Theory]
    [MemberData(nameof(Linear))]
    public void Train_LinearHeadOnScaledVectors_KeepsTheScaling(string name)
    {
        foreach (var scaling in new[] { "standard", "l2" })
        {
            var head = Fit(name, settings: ("scaling", scaling));
            Assert.InRange(HeadChecks.Accuracy(head, Data.X, Data.Y, Rest), 0.8, 1);
            HeadChecks.AgreesWithItself(head, Data.X, Rest);
        }
    }

    [Theory]
    [MemberData(nameof(Trees))]
    public void Train_Trees_LearnsAndSaysThatItDoesNotExport(string name)
    {
        var head = Fit(name, settings: Small(name));
        Assert.InRange(HeadChecks.Accuracy(head, Data.X, Data.Y, Rest), 0.75, 1);
        Assert.Contains("ML.NET's own form", head.NotExportable);
        Assert.InRange(head.ParameterCount, Classes * 20L, long.MaxValue);
        var again = Fit(name, threads: 2, settings: Small(name));
        HeadChecks.AssertSameBytes(HeadChecks.Scores(head, Data.X, Rest), HeadChecks.Scores(again, Data.X, Rest, 2));
    }

    [Theory]
    [InlineData("mlnet-sdca-maximum-entropy")]
    [InlineData("mlnet-lbfgs-maximum-entropy")]
    public void Export_OfMaximumEntropy_PredictsAsMLNet(string name)
    {
        var rows = Mixture.Training(Data.X, Data.Y, Train);
        var ml = new MLContext(0);
        var view = RowView.Classes(rows, FeatureScaling.None, TestContext.Current.CancellationToken);
        var trainers = ml.MulticlassClassification.Trainers;
        ITransformer model =
            name == "mlnet-sdca-maximum-entropy"
                ? trainers
                    .SdcaMaximumEntropy(
                        new SdcaMaximumEntropyMulticlassTrainer.Options
                        {
                            L2Regularization = 0.0003f,
                            L1Regularization = 0,
                            ConvergenceTolerance = 0.01f,
                            MaximumNumberOfIterations = 50,
                            NumberOfThreads = 1,
                        }
                    )
                    .Fit(view)
                : trainers
                    .LbfgsMaximumEntropy(
                        new LbfgsMaximumEntropyMulticlassTrainer.Options
                        {
                            L1Regularization = 0,
                            L2Regularization = 1,
                            OptimizationTolerance = 1e-4f,
                            HistorySize = 20,
                            MaximumNumberOfIterations = 500,
                            NumberOfThreads = 1,
                        }
                    )
                    .Fit(view);
        HeadChecks.AssertClose(MLNetScores(model), HeadChecks.OnnxProbabilities(Fit(name), Data.X, Rest), 1e-4);
    }

    [Fact]
    public void Export_OfLinearSvm_PredictsAsMLNet()
    {
        var rows = Mixture.Training(Data.X, Data.Y, Train);
        var expected = new float[Rest.Length * Classes];
        for (var k = 0; k < Classes; k++)
        {
            var ml = new MLContext(LinearTrainers.ClassSeed(0, k));
            var view = RowView.OneAgainstAll(rows, k, FeatureScaling.None, TestContext.Current.CancellationToken);
            var svm = ml
                .BinaryClassification.Trainers.LinearSvm(new LinearSvmTrainer.Options { Lambda = 0.001f, NumberOfIterations = 20 })
                .Fit(view);
            var platt = ml.BinaryClassification.Calibrators.Platt().Fit(svm.Transform(view));
            var scored = platt.Transform(svm.Transform(RowView.Unlabelled(Data.X, Rest, FeatureScaling.None)));
            var probabilities = scored.GetColumn<float>("Probability").ToArray();
            for (var i = 0; i < Rest.Length; i++)
                expected[i * Classes + k] = probabilities[i];
        }

        for (var i = 0; i < Rest.Length; i++)
        {
            var row = expected.AsSpan(i * Classes, Classes);
            var sum = row[0] + row[1] + row[2];
            foreach (ref var p in row)
                p /= sum;
        }

        HeadChecks.AssertClose(
            expected,
            HeadChecks.OnnxProbabilities(
                Fit("mlnet-linear-svm", 1, ("Lambda", "0.001"), ("NumberOfIterations", "20"), ("scaling", "none")),
                Data.X,
                Rest
            ),
            1e-4
        );
    }

    [Fact]
    public void Score_OfFastTree_IsThatOfMLNetsOneVersusAll()
    {
        var head = Fit("mlnet-fast-tree", 1, ("NumberOfTrees", "20"), ("FeatureFraction", "1"), ("MaximumBinCountPerFeature", "255"));
        var rows = Mixture.Training(Data.X, Data.Y, Train);
        var ml = new MLContext(0);
        var trees = ml.BinaryClassification.Trainers.FastTree(
            new FastTreeBinaryTrainer.Options
            {
                NumberOfTrees = 20,
                NumberOfLeaves = 20,
                MinimumExampleCountPerLeaf = 10,
                NumberOfThreads = 1,
            }
        );
        var model = ml
            .MulticlassClassification.Trainers.OneVersusAll(trees)
            .Fit(RowView.Classes(rows, FeatureScaling.None, TestContext.Current.CancellationToken));
        HeadChecks.AssertClose(MLNetScores(model), HeadChecks.Scores(head, Data.X, Rest), 1e-5);
    }

    [Fact]
    public void Score_OfLightGbm_IsThatOfMLNetsSoftmax()
    {
        var head = Fit("mlnet-light-gbm", 1, ("NumberOfIterations", "20"), ("FeatureFraction", "1"), ("MaximumBinCountPerFeature", "255"));
        var model = new MLContext(0)
            .MulticlassClassification.Trainers.LightGbm(
                new LightGbmMulticlassTrainer.Options
                {
                    UseSoftmax = true,
                    NumberOfIterations = 20,
                    NumberOfLeaves = 20,
                    MinimumExampleCountPerLeaf = 10,
                    LearningRate = 0.1,
                    NumberOfThreads = 1,
                    Seed = 0,
                }
            )
            .Fit(RowView.Classes(Mixture.Training(Data.X, Data.Y, Train), FeatureScaling.None, TestContext.Current.CancellationToken));
        HeadChecks.AssertClose(MLNetScores(model), HeadChecks.Scores(head, Data.X, Rest), 1e-5);
        Assert.All(HeadChecks.Scores(head, Data.X, Rest).Chunk(Classes), row => Assert.Equal(1, row.Sum(), 1e-5f));
    }

    [Theory]
    [InlineData(-2, 0.5)]
    [InlineData(-200, -199)]
    [InlineData(-1000, -900)]
    public void Normalize_SigmoidsFarBelowZero_KeepTheirShares(double first, double second)
    {
        // Of a vector far from all that was trained on, every sigmoid may be 0 in float32.
        var probabilities = new float[2];
        OneAgainstAllTrees.Normalize([first, second], probabilities);
        var (a, b) = (LogSigmoid(first), LogSigmoid(second));
        Assert.Equal(1 / (1 + Math.Exp(b - a)), probabilities[0], 1e-6);
        Assert.Equal(1, probabilities[0] + probabilities[1], 1e-6f);

        static double LogSigmoid(double z) => z < -30 ? z : -Math.Log(1 + Math.Exp(-z));
    }

    [Theory]
    [MemberData(nameof(Trees))]
    public void Score_OfTreesOnNaN_NamesTheRow(string name)
    {
        var head = Fit(name, settings: Small(name));
        var x = Data.X.Select([.. Enumerable.Range(0, 210)]);
        x.Row(160)[3] = float.NaN;
        Assert.Contains(
            "the vector of row 160 has NaN at position 3",
            Assert.Throws<BadInputException>(() => HeadChecks.Scores(head, x, Rest)).Message
        );
    }

    [Fact]
    public void Train_OnNaN_NamesTheRow()
    {
        var x = Data.X.Select([.. Enumerable.Range(0, 210)]);
        x.Row(5)[3] = float.NaN;
        var trainer = MicrosoftMLHeads.Trainers[0];
        var error = Assert.Throws<BadInputException>(() =>
            trainer.Train(Mixture.Training(x, Data.Y, Train), Mixture.Settings(trainer), new TrainingContext())
        );
        Assert.Contains("the vector of row 5 has NaN at position 3", error.Message);
    }

    [Fact]
    public void Train_WhenCancelled_Ends()
    {
        var trainer = MicrosoftMLHeads.Trainers[0];
        var context = new TrainingContext { Cancellation = new CancellationToken(true) };
        Assert.ThrowsAny<OperationCanceledException>(() =>
            trainer.Train(Mixture.Training(Data.X, Data.Y, Train), Mixture.Settings(trainer), context)
        );
    }

    private static (string Name, string Value)[] Small(string name) =>
        name == "mlnet-light-gbm"
            ? [("NumberOfIterations", "20"), ("FeatureFraction", "0.7")]
            : [("NumberOfTrees", "20"), ("FeatureFraction", "0.7")];

    private static IHead Fit(string name, int threads = 1, params (string Name, string Value)[] settings)
    {
        var trainer = MicrosoftMLHeads.Trainers.Single(t => t.Name == name);
        if (trainer.Unavailable is { } reason)
        {
            // ML.NET's packages have all libraries for it.
            Assert.NotEqual(Architecture.X64, RuntimeInformation.ProcessArchitecture);
            Assert.Skip(reason);
        }

        return trainer.Train(
            Mixture.Training(Data.X, Data.Y, Train),
            Mixture.Settings(trainer, settings),
            new TrainingContext { Threads = threads }
        );
    }

    private static float[] MLNetScores(ITransformer model)
    {
        var rows = RowView.Classes(
            new TrainingRows(Data.X, Data.Y, Rest, Classes),
            FeatureScaling.None,
            TestContext.Current.CancellationToken
        );
        return [.. model.Transform(rows).GetColumn<float[]>("Score").SelectMany(s => s)];
    }
}
