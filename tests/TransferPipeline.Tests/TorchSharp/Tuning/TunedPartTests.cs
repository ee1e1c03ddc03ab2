using TransferPipeline.Onnx;
using TransferPipeline.TorchSharp.Tuning;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>Training of a real backbone, efficientnet-lite0, from its pixels on.</summary>
public sealed class TunedPartTests
{
    private static readonly string Lite0 = Path.Combine(SharedData.Repository, "models", "efficientnet-lite0.onnx");

    public TunedPartTests() => TunedParts.RequireTorch();

    [Fact]
    public void Evaluate_GivesOnnxRuntimesFeaturesAndTheHeadsLogits()
    {
        var graph = TunedParts.Whole(Lite0);
        var batch = TunedParts.Batch(graph, 3);
        var model = graph.Model.Clone();
        var shape = graph.Inputs[0].Shape.Prepend(3).ToArray();
        foreach (var initializer in model.Graph.Initializer.ToList())
            model.Graph.Initializer[model.Graph.Initializer.IndexOf(initializer)] = TensorData.Inline(initializer);
        var expected = OnnxSession.Run(model, graph.Inputs[0].Name, batch.Inputs[0].ToArray(), shape);
        using var part = new TorchTuner().Open(graph, new() { Threads = 2 });
        var (logits, features) = (new float[3 * TunedParts.Classes], new float[expected.Length]);
        var result = part.Evaluate(batch, logits, features);
        var largest = expected.Max(Math.Abs);
        for (var i = 0; i < features.Length; i++)
            Assert.Equal(expected[i], features[i], 1e-5f * largest);
        var dimension = graph.Head.Dimension;
        for (var i = 0; i < logits.Length; i++)
        {
            var (row, column) = (i / TunedParts.Classes, i % TunedParts.Classes);
            var sum = 0.0;
            for (var d = 0; d < dimension; d++)
                sum += (double)features[row * dimension + d] * graph.Head.Weights[column * dimension + d];
            Assert.Equal(sum, logits[i], 1e-4);
        }

        Assert.Equal(3, result.Weight);
        Assert.InRange(result.Loss, 1e-6, 100);
    }

    [Fact]
    public void Train_LearnsABatchAndChangesEveryWeight()
    {
        var graph = TunedParts.Whole(Lite0);
        var batch = TunedParts.Batch(graph, 6);
        using var part = new TorchTuner().Open(graph, new() { Threads = 2 });
        var start = part.Weights();
        var first = part.Train(batch, 0.001, 0.01);
        for (var i = 0; i < 8; i++)
            part.Train(batch, 0.001, 0.01);
        var last = part.Evaluate(batch, new float[6 * TunedParts.Classes], []);
        Assert.True(last.Loss < first.Loss / 2, $"{first.Loss} became {last.Loss}");
        var end = part.Weights();
        Assert.Equal(98, part.Parameters.Count); // 49 convolutions with their biases
        Assert.All(part.Parameters, p => Assert.NotEqual(start.Graph[p.Name], end.Graph[p.Name]));
        Assert.NotEqual(start.HeadWeights, end.HeadWeights);
        part.SetWeights(start);
        Assert.Equal(start.HeadBias, part.Weights().HeadBias);
        Assert.All(part.Parameters, p => Assert.Equal(start.Graph[p.Name], part.Weights().Graph[p.Name]));
    }

    [Theory]
    [InlineData("Sgd")]
    [InlineData("AdamW")]
    public void Train_GivesTheSameBytesForAnyThreads(string optimizer)
    {
        var states = new[] { 1, 2, 4 }.Select(threads =>
        {
            var graph = TunedParts.Whole(Lite0);
            var options = new TunerOptions
            {
                Threads = threads,
                Optimizer = Enum.Parse<TunerOptimizer>(optimizer),
                WeightDecay = 0.01,
                LabelSmoothing = 0.1,
                ClassWeights = [1, 2, 0.5f],
            };
            return TunedParts.Trained(graph, options);
        });
        Assert.Single(states.Select(Convert.ToHexString).Distinct());
    }

    [Fact]
    public void Load_GoesOnAsAnUndisturbedRun()
    {
        var graph = TunedParts.Whole(Lite0);
        var options = new TunerOptions { Optimizer = TunerOptimizer.Adam, Threads = 2 };
        using var whole = new TorchTuner().Open(graph, options);
        whole.Train(TunedParts.Batch(graph, 4, 1), 0.001, 0.01);
        var saved = TunedParts.State(whole);
        whole.Train(TunedParts.Batch(graph, 4, 2), 0.001, 0.01);
        using var resumed = new TorchTuner().Open(graph, options);
        resumed.Load(new MemoryStream(saved));
        resumed.Train(TunedParts.Batch(graph, 4, 2), 0.001, 0.01);
        Assert.Equal(TunedParts.State(whole), TunedParts.State(resumed));
    }

    [Fact]
    public void Load_RefusesWhatIsOfAnotherPartOrEndsEarly()
    {
        var graph = TunedParts.Whole(Lite0);
        using var sgd = new TorchTuner().Open(graph, new());
        using var adam = new TorchTuner().Open(graph, new() { Optimizer = TunerOptimizer.Adam });
        var saved = TunedParts.State(sgd);
        Assert.Contains("'Sgd', expected 'Adam'", Assert.Throws<InvalidDataException>(() => adam.Load(new MemoryStream(saved))).Message);
        var early = Assert.Throws<InvalidDataException>(() => sgd.Load(new MemoryStream(saved[..^5])));
        Assert.Equal("the saved state ends early", early.Message);
    }

    /// <summary>The mean loss of a batch does not depend on how it is divided.</summary>
    [Fact]
    public void Gradients_AreThoseOfTheWholeBatchWhateverTheShards()
    {
        var graph = TunedParts.Whole(Lite0);
        var batch = TunedParts.Batch(graph, 5);
        var gradients = new[] { 1, 3 }
            .Select(shards =>
            {
                using var part = TorchTuner.OpenPart(graph, new() { Shards = shards, ClassWeights = [1, 3, 0.5f] });
                return part.Gradients(batch);
            })
            .ToList();
        foreach (var (name, expected) in gradients[0])
        {
            var largest = expected.Max(Math.Abs);
            Assert.All(expected.Zip(gradients[1][name]), pair => Assert.Equal(pair.First, pair.Second, 1e-4f * largest));
        }
    }

    [Fact]
    public void ActivationBytes_CountEveryResultOnce()
    {
        using var part = new TorchTuner().Open(TunedParts.Whole(Lite0), new());
        Assert.InRange(part.ActivationBytesPerPhoto, 20_000_000, 40_000_000);
        Assert.InRange(part.WeightBytes, 10 * 13_000_000, 10 * 14_000_000);
    }
}
