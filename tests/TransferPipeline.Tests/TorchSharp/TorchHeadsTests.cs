using System.Numerics.Tensors;
using TorchSharp;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Networks;
using TransferPipeline.Tests.Heads;
using TransferPipeline.TorchSharp;
using static TorchSharp.torch;

namespace TransferPipeline.Tests.TorchSharp;

[CollectionDefinition(nameof(TorchHeadsTests), DisableParallelization = true)]
[Collection(nameof(TorchHeadsTests))]
public sealed class TorchHeadsTests
{
    private const int Train = 150,
        Columns = 12,
        Classes = 3;

    private static readonly (FeatureMatrix X, int[] Y) Data = Mixture.Create(210, Columns, Classes, 7, 0.6);
    private static readonly int[] Rest = [.. Enumerable.Range(Train, 60)];

    /// <summary>The package's library asks for a newer libstdc++ than some systems have.</summary>
    public TorchHeadsTests()
    {
        if (TorchHeads.Trainers[0].Unavailable is { } reason)
            Assert.Skip(reason);
    }

    [Theory]
    [InlineData("torch-linear", "adam", "0.01")]
    [InlineData("torch-linear", "sgd", "0.05")]
    [InlineData("torch-linear", "lbfgs", "1")]
    [InlineData("torch-mlp", "adam", "0.01")]
    [InlineData("torch-mlp", "sgd", "0.05")]
    [InlineData("torch-mlp", "lbfgs", "0.5")]
    public void Train_LearnsAndExports(string name, string solver, string rate)
    {
        (string, string)[] settings =
        [
            ("solver", solver),
            ("learning_rate", rate),
            ("epochs", "12"),
            ("batch_size", "32"),
            ("scaling", "standard"),
        ];
        var head = Fit(name, 1, settings);
        Assert.Equal(name, head.Name);
        Assert.Equal(12, head.Fit.History.Count);
        Assert.True(head.Fit.History[^1].TrainLoss < head.Fit.History[0].TrainLoss);
        Assert.InRange(HeadChecks.Accuracy(head, Data.X, Data.Y, Rest), 0.85, 1);
        HeadChecks.AgreesWithItself(head, Data.X, Rest);
        HeadChecks.AssertSameBytes(HeadChecks.Scores(head, Data.X, Rest), HeadChecks.Scores(Fit(name, 2, settings), Data.X, Rest));
    }

    [Fact]
    public void Export_PredictsAsTorch()
    {
        var head = (LinearHead)Fit("torch-linear", 1, ("scaling", "none"));
        using var scope = NewDisposeScope();
        using var network = new TorchNetwork(new DenseNetwork([new(Columns, Classes, head.Weights, head.Bias)]), 0, CPU);
        var torch = nn.functional.softmax(network.Forward(tensor(Data.X.Select(Rest).Data, [Rest.Length, Columns]), learns: false), 1);
        HeadChecks.AssertClose(torch.data<float>().ToArray(), HeadChecks.OnnxProbabilities(head, Data.X, Rest), 1e-4);
    }

    [Fact]
    public void Train_BySgd_TakesTheStepsOfLinearSgd()
    {
        (string, string)[] settings =
        [
            ("solver", "sgd"),
            ("learning_rate", "0.05"),
            ("epochs", "6"),
            ("batch_size", "16"),
            ("step_size", "2"),
            ("weight_decay", "0.01"),
            ("scaling", "standard"),
        ];
        var ours = new LinearSgdTrainer();
        var expected = ours.Train(Mixture.Training(Data.X, Data.Y, Train), Mixture.Settings(ours, settings), new TrainingContext());
        HeadChecks.AssertClose(
            HeadChecks.Scores(expected, Data.X, Rest),
            HeadChecks.Scores(Fit("torch-linear", 1, settings), Data.X, Rest),
            1e-3
        );
    }

    [Fact]
    public void Train_ByLbfgs_ReachesTheOptimumOfSoftmax()
    {
        // softmax at C: C times the sum of losses + |w|^2 / 2; here the mean loss + weight_decay |w|^2 / 2, whose penalty includes the
        // bias.
        var softmax = new SoftmaxTrainer();
        var rows = Mixture.Training(Data.X, Data.Y, Train);
        var expected = softmax.Train(rows, Mixture.Settings(softmax, ("C", "1"), ("scaling", "standard")), new TrainingContext());
        var actual = Fit(
            "torch-linear",
            1,
            ("solver", "lbfgs"),
            ("learning_rate", "1"),
            ("epochs", "30"),
            ("weight_decay", (1.0 / Train).ToString("R")),
            ("scaling", "standard")
        );
        HeadChecks.AssertClose(HeadChecks.Probabilities(expected, Data.X, Rest), HeadChecks.Probabilities(actual, Data.X, Rest), 0.05);
    }

    [Theory]
    [InlineData("torch-linear")]
    [InlineData("torch-mlp")]
    public void Train_WithValidationRows_KeepsTheBestWeights(string name)
    {
        var trainer = TorchHeads.Trainers.Single(t => t.Name == name);
        var rows = Mixture.Training(Data.X, Data.Y, Train) with { ValidationRows = Rest };
        var head = trainer.Train(
            rows,
            Mixture.Settings(trainer, ("epochs", "8"), ("learning_rate", "0.3"), ("scaling", "standard")),
            new TrainingContext()
        );
        Assert.Equal(head.Fit.History.Max(h => h.ValidationAccuracy), HeadChecks.Accuracy(head, Data.X, Data.Y, Rest), 6);
    }

    [Fact]
    public void Train_WithDropout_DependsOnTheSeedAlone()
    {
        var trainer = TorchHeads.Trainers[1];
        float[] Scores(int seed) =>
            HeadChecks.Scores(
                trainer.Train(
                    Mixture.Training(Data.X, Data.Y, Train),
                    Mixture.Settings(trainer, ("dropout", "0.5"), ("epochs", "3")),
                    new TrainingContext { Seed = seed }
                ),
                Data.X,
                Rest
            );
        var heads = new float[4][];
        Parallel.For(0, 4, i => heads[i] = Scores(1));
        Assert.All(heads, scores => HeadChecks.AssertSameBytes(heads[0], scores));
        Assert.False(heads[0].AsSpan().SequenceEqual(Scores(2)));
    }

    /// <summary>What a finalizer frees while the process ends, libtorch may no longer know.</summary>
    [Theory]
    [InlineData("adam")]
    [InlineData("sgd")]
    [InlineData("lbfgs")]
    public void Train_LeavesNoTensorToTheFinalizer(string solver)
    {
        Collect();
        var trainer = TorchHeads.Trainers[1];
        var rows = Mixture.Training(Data.X, Data.Y, Train) with { ValidationRows = Rest };
        trainer.Train(
            rows,
            Mixture.Settings(trainer, ("solver", solver), ("dropout", "0.5"), ("epochs", "3"), ("class_weight", "balanced")),
            new TrainingContext()
        );
        var after = torch.Tensor.TotalCount;
        Collect();
        Assert.Equal(after, torch.Tensor.TotalCount);

        static void Collect()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    /// <summary>A number that libtorch reads must not be freed by the finalizer of the object that TorchSharp made of it.</summary>
    [Theory]
    [InlineData("adam")]
    [InlineData("sgd")]
    [InlineData("lbfgs")]
    public void Train_WhileGarbageIsCollected_GivesTheSameHead(string solver)
    {
        float[] Scores() =>
            HeadChecks.Scores(
                Fit("torch-mlp", 1, ("solver", solver), ("epochs", "4"), ("batch_size", "8"), ("weight_decay", "0.01")),
                Data.X,
                Rest
            );
        var expected = Scores();
        var isEnding = false;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref isEnding))
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            for (var i = 0; i < 8; i++)
                HeadChecks.AssertSameBytes(expected, Scores());
        }
        finally
        {
            Volatile.Write(ref isEnding, true);
            collector.Join();
        }
    }

    [Fact]
    public void Train_WithWeightDecay_ShrinksTheWeights()
    {
        var free = (LinearHead)Fit("torch-linear", 1, ("learning_rate", "0.02"), ("scaling", "standard"));
        var held = (LinearHead)Fit("torch-linear", 1, ("learning_rate", "0.02"), ("weight_decay", "0.3"), ("scaling", "standard"));
        Assert.True(TensorPrimitives.Norm<float>(held.Weights) < 0.7f * TensorPrimitives.Norm<float>(free.Weights));
    }

    [Fact]
    public void Train_WithARateThatDiverges_SaysSo()
    {
        var error = Assert.Throws<JobFailedException>(() =>
            Fit("torch-linear", 1, ("solver", "sgd"), ("learning_rate", "1e38"), ("scaling", "none"))
        );
        Assert.Contains("the loss is not finite in epoch 1; lower learning_rate", error.Message);
    }

    /// <summary>
    /// A penalty multiplies the weights by -1.3e9 per step, with one step per epoch: with some number of epochs only scores
    /// overflow.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Train_LossStopsBeingFinite_KeepsUsableWeightsAndWarns(bool validates)
    {
        var (x, y) = Mixture.Create(80, 10, 2, 59);
        foreach (ref var value in x.Data.AsSpan())
            value *= 1000;
        var trainer = TorchHeads.Trainers.Single(t => t.Name == "torch-linear");
        var data = Mixture.Training(x, y, 60) with { ValidationRows = validates ? [.. Enumerable.Range(60, 20)] : [] };
        var diverged = 0;
        foreach (var epochs in (string[])["2", "3", "4", "5", "6"])
        {
            var warnings = new List<string>();
            var settings = Mixture.Settings(
                trainer,
                ("solver", "sgd"),
                ("learning_rate", "1"),
                ("weight_decay", "1.3e9"),
                ("momentum", "0"),
                ("batch_size", "60"),
                ("best_weights", "false"),
                ("scaling", "none"),
                ("epochs", epochs)
            );

            var head = trainer.Train(data, settings, new() { Warn = warnings.Add });

            Assert.All(HeadChecks.Scores(head, x, [.. Enumerable.Range(0, 80)]), s => Assert.True(float.IsFinite(s), epochs));
            Assert.Equal(head.Fit.Converged, warnings.Count == 0);
            diverged += warnings.Count;
        }

        Assert.InRange(diverged, 2, 4);
    }

    [Fact]
    public void Train_OnCudaWithoutIt_SaysWhatToDo()
    {
        if (cuda.is_available())
            Assert.Skip("needs a machine without CUDA");
        var error = Assert.Throws<JobFailedException>(() => Fit("torch-linear", 1, ("device", "cuda")));
        Assert.StartsWith("torch-linear: device cuda cannot be used: ", error.Message);
        Assert.EndsWith("; or use device=cpu", error.Message);
    }

    private static IHead Fit(string name, int threads, params (string Name, string Value)[] settings)
    {
        var trainer = TorchHeads.Trainers.Single(t => t.Name == name);
        return trainer.Train(
            Mixture.Training(Data.X, Data.Y, Train),
            Mixture.Settings(trainer, settings),
            new TrainingContext { Threads = threads }
        );
    }
}
