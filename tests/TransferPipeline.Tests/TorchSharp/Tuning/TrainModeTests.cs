using TransferPipeline.Onnx;
using TransferPipeline.TorchSharp.Tuning;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>What differs between training and evaluation.</summary>
public sealed class TrainModeTests
{
    public TrainModeTests() => TunedParts.RequireTorch();

    /// <summary>As torch: a tenth of the batch's mean and unbiased variance joins the running ones; evaluation uses those alone.</summary>
    [Fact]
    public void BatchNormalization_FollowsTheBatchsStatistics()
    {
        var graph = OperatorCases.All["BatchNormalization"].Create();
        var batch = OperatorCases.All["BatchNormalization"].Batch();
        using var part = TorchTuner.OpenPart(graph, new() { Threads = 2 });
        string[] statistics = [.. part.Parameters.Where(p => p.IsStatistic).Select(p => p.Name)];
        Assert.Equal(2, statistics.Length);
        var (start, x) = (part.Weights(), Products(graph, batch));
        var before = Features(part, batch);
        part.Train(batch, 0, 0);
        var end = part.Weights();
        for (var channel = 0; channel < 4; channel++)
        {
            // N x 4 x 6 x 5 values.
            double[] values = [.. x.Where((_, i) => i / 30 % 4 == channel).Select(v => (double)v)];
            var mean = values.Average();
            var variance = values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1);
            Assert.Equal(0.9 * start.Graph[statistics[0]][channel] + 0.1 * mean, end.Graph[statistics[0]][channel], 1e-5);
            Assert.Equal(0.9 * start.Graph[statistics[1]][channel] + 0.1 * variance, end.Graph[statistics[1]][channel], 1e-4);
        }

        Assert.NotEqual(before, Features(part, batch));
        part.SetWeights(start);
        Assert.Equal(before, Features(part, batch));
    }

    /// <summary>Eleven photos are no multiple of the shards.</summary>
    [Theory]
    [InlineData("BatchNormalization of vectors")]
    [InlineData("BatchNormalization and Clip")]
    [InlineData("BatchNormalization in a block")]
    public void BatchNormalization_GivesTheSameBytesForAnyThreads(string name)
    {
        var graph = OperatorCases.All[name].Create();
        var states = new[] { 1, 2, 5 }.Select(threads =>
        {
            using var part = TorchTuner.OpenPart(graph, new() { Threads = threads });
            for (var step = 0; step < 3; step++)
                part.Train(Photos(graph, 11, step), 0.01, 0.01);
            return TunedParts.State(part);
        });
        Assert.Single(states.Select(Convert.ToHexString).Distinct());
    }

    /// <summary>Statistics are those of the whole batch, however it is divided, and so are the gradients.</summary>
    [Theory]
    [InlineData("BatchNormalization")]
    [InlineData("BatchNormalization over one axis")]
    [InlineData("BatchNormalization in a block")]
    public void BatchNormalization_TakesTheWholeBatchWhateverTheShards(string name)
    {
        var graph = OperatorCases.All[name].Create();
        var results = new[] { 1, 4 }
            .Select(shards =>
            {
                using var part = TorchTuner.OpenPart(graph, new() { Shards = shards, Threads = 2 });
                var gradients = part.Gradients(Photos(graph, 7, 1));
                return (
                    Gradients: gradients,
                    Statistics: part.Parameters.Where(p => p.IsStatistic).Select(p => part.Weights().Graph[p.Name]).ToList()
                );
            })
            .ToList();
        foreach (var (weight, expected) in results[0].Gradients)
        {
            var largest = expected.Max(Math.Abs);
            Assert.All(expected.Zip(results[1].Gradients[weight]), pair => Assert.Equal(pair.First, pair.Second, 1e-5f * largest));
        }

        foreach (var (one, other) in results[0].Statistics.Zip(results[1].Statistics))
            Assert.All(one.Zip(other), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
    }

    /// <summary>The last batch of an epoch may be one photo, whose vectors have no variance.</summary>
    [Fact]
    public void BatchNormalization_OfOneValue_KeepsTheRunningVariance()
    {
        var graph = OperatorCases.All["BatchNormalization of vectors"].Create();
        using var part = TorchTuner.OpenPart(graph, new());
        var before = part.Weights();
        Assert.True(double.IsFinite(part.Train(Photos(graph, 1, 1), 0.01, 0.01).Loss));
        var (mean, variance) = (
            part.Parameters.Where(p => p.IsStatistic).First().Name,
            part.Parameters.Where(p => p.IsStatistic).Last().Name
        );
        Assert.NotEqual(before.Graph[mean], part.Weights().Graph[mean]);
        Assert.Equal(before.Graph[variance], part.Weights().Graph[variance]);
        Assert.All(part.Weights().Graph.Values, values => Assert.All(values, v => Assert.True(float.IsFinite(v))));
    }

    /// <summary>A limit does not hide that training diverged.</summary>
    [Fact]
    public void BatchNormalization_OfValuesThatAreNotFinite_GivesALossThatIsNot()
    {
        var graph = OperatorCases.All["BatchNormalization and Relu"].Create();
        var values = Photos(graph, 4, 1).Inputs[0].ToArray();
        values[3] = float.PositiveInfinity;
        using var part = TorchTuner.OpenPart(graph, new());
        Assert.False(double.IsFinite(part.Train(new([values], new[] { 0, 1, 2, 0 }), 0.01, 0.01).Loss));
    }

    /// <summary>Where the backbone has rate 0 the statistics follow the batch all the same.</summary>
    [Fact]
    public void BatchNormalization_WithoutARate_TrainsTheHeadAlone()
    {
        var graph = OperatorCases.All["BatchNormalization in a block"].Create();
        using var part = TorchTuner.OpenPart(graph, new() { Threads = 2 });
        var before = part.Weights();
        part.Train(Photos(graph, 5, 1), 0, 0.01);
        var after = part.Weights();
        Assert.All(part.Parameters, p => Assert.Equal(!p.IsStatistic, before.Graph[p.Name].SequenceEqual(after.Graph[p.Name])));
        Assert.NotEqual(before.HeadWeights, after.HeadWeights);
    }

    [Fact]
    public void Dropout_DropsInTrainingAloneAndByTheSeed()
    {
        var dropout = new OperatorCase(17, [4, 6, 5], (g, x) => g.Node("Dropout", [x, g.Constant("ratio", [0.5f])]));
        var kept = new OperatorCase(17, [4, 6, 5], (g, x) => g.Node("Identity", [x]));
        using var plain = TorchTuner.OpenPart(kept.Create(), new());
        using var first = TorchTuner.OpenPart(dropout.Create(), new() { Seed = 5 });
        using var same = TorchTuner.OpenPart(dropout.Create(), new() { Seed = 5, Threads = 3 });
        using var other = TorchTuner.OpenPart(dropout.Create(), new() { Seed = 6 });
        Assert.Equal(Features(plain, kept.Batch()), Features(first, kept.Batch()));
        var losses = new[] { plain, first, same, other }.Select(p => p.Train(kept.Batch(), 0, 0).Loss).ToList();
        Assert.Equal(losses[1], losses[2]);
        Assert.Equal(3, losses.Distinct().Count());
        // Another step draws other values.
        Assert.NotEqual(losses[1], first.Train(kept.Batch(), 0, 0).Loss);
    }

    /// <summary>The gradient is that of the loss plus the weight times the auxiliary classifier's loss.</summary>
    [Fact]
    public void AuxiliaryLoss_JoinsByItsWeight()
    {
        var start = OperatorCases.All["Tanh"].Create();
        start.Model.Graph.Node.Add(
            new NodeProto
            {
                OpType = "Flatten",
                Input = { start.Model.Graph.Node[0].Output[0] },
                Output = { "early" },
            }
        );
        var auxiliary = start.Head with { Feature = "early", Weights = OperatorCase.Values(start.Head.Weights.Length, 61) };
        var batch = OperatorCases.All["Tanh"].Batch();
        var gradients = new[] { 0, 1, 0.4 }
            .Select(weight =>
            {
                using var part = TorchTuner.OpenPart(start with { Auxiliary = auxiliary, AuxiliaryLossWeight = weight }, new());
                return part.Gradients(batch);
            })
            .ToList();
        foreach (var (name, none) in gradients[0])
        {
            for (var i = 0; i < none.Length; i++)
                Assert.Equal(0.6 * none[i] + 0.4 * gradients[1][name][i], gradients[2][name][i], 1e-5);
        }

        using var plain = TorchTuner.OpenPart(start, new());
        Assert.Equal(plain.Gradients(batch)["weights"], gradients[0]["weights"]);
        Assert.NotEqual(gradients[0]["weights"], gradients[1]["weights"]);
    }

    /// <summary>Two normalizations share what the exporter stored once; each trains its own copy.</summary>
    [Fact]
    public void Identity_OfAnInitializerTrainsOnItsOwn()
    {
        var shared = new OperatorCase(
            17,
            [3, 5],
            (g, x) =>
            {
                var (scale, bias) = (g.Constant("scale", [1f, 1f, 1f, 1f, 1f], 5), g.Constant("bias", new float[5], 5));
                var first = g.Node("Tanh", [g.Node("LayerNormalization", [x, scale, bias])]);
                return g.Node("LayerNormalization", [first, g.Node("Identity", [scale]), g.Node("Identity", [bias])]);
            }
        );
        using var part = TorchTuner.OpenPart(shared.Create(), new());
        Assert.Equal(5, part.Parameters.Count);
        part.Train(shared.Batch(), 0.1, 0.1);
        var values = part.Parameters.Skip(1).Select(p => part.Weights().Graph[p.Name]).ToList();
        Assert.NotEqual(values[0], values[2]);
        Assert.NotEqual(values[1], values[3]);
    }

    private static TunedBatch Photos(TunedGraph graph, int photos, long part) =>
        new([OperatorCase.Values(photos * graph.Inputs[0].Values, 80 + part)], Enumerable.Range(0, photos).Select(i => i % 3).ToArray());

    /// <summary>What the cases' matrix product makes, before the operator.</summary>
    private static float[] Products(TunedGraph graph, TunedBatch batch)
    {
        var model = graph.Model.Clone();
        var flatten = model.Graph.Node.Single(n => n.OpType == "Flatten");
        flatten.Input[0] = model.Graph.Node[0].Output[0];
        return OnnxSession.Run(model, "cut", batch.Inputs[0].ToArray(), [batch.Photos, .. graph.Inputs[0].Shape]);
    }

    private static float[] Features(TorchTunedPart part, TunedBatch batch)
    {
        var features = new float[batch.Photos * part.Weights().HeadWeights.Length / part.Weights().HeadBias.Length];
        part.Evaluate(batch, new float[batch.Photos * part.Weights().HeadBias.Length], features);
        return features;
    }
}
