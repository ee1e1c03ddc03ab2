using TransferPipeline.TorchSharp.Tuning;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

public sealed class OperatorTests
{
    public OperatorTests() => TunedParts.RequireTorch();

    public static TheoryData<string> Cases => [.. OperatorCases.All.Keys];

    public static TheoryData<string> Differentiable => [.. OperatorCases.All.Where(c => c.Value.HasDerivative).Select(c => c.Key)];

    [Fact]
    public void EveryOperator_HasACase() =>
        Assert.Empty(OperatorTable.Names.Except(OperatorCases.All.Keys.Select(name => name.Split(' ')[0])));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Operator_ComputesWhatOnnxRuntimeDoes(string name)
    {
        var (graph, batch) = (OperatorCases.All[name].Create(), OperatorCases.All[name].Batch());
        var shape = graph.Inputs[0].Shape.Prepend(OperatorCase.Photos).ToArray();
        var expected = OnnxSession.Run(graph.Model, "cut", batch.Inputs[0].ToArray(), shape);
        using var part = TorchTuner.OpenPart(graph, new() { Threads = 2, Shards = 2 });
        var features = new float[expected.Length];
        part.Evaluate(batch, new float[OperatorCase.Photos * graph.Head.Classes], features);
        var largest = expected.Max(Math.Abs);
        for (var i = 0; i < features.Length; i++)
            Assert.Equal(expected[i], features[i], 1e-5f * largest);
    }

    /// <summary>Along the gradient and along a random direction the loss changes as the gradient has it.</summary>
    [Theory]
    [MemberData(nameof(Differentiable))]
    public void Gradient_EqualsDifferencesOfTheLoss(string name)
    {
        var (graph, batch) = (OperatorCases.All[name].Create(), OperatorCases.All[name].Batch());
        using var part = TorchTuner.OpenPart(graph, new() { Shards = 1 });
        var gradients = part.Gradients(batch);
        var length = Math.Sqrt(gradients.Values.Sum(g => g.Sum(v => (double)v * v)));
        Assert.NotEqual(0, length);
        var along = gradients.ToDictionary(g => g.Key, g => Array.ConvertAll(g.Value, v => (float)(v / length)));
        Assert.Equal(length, Slope(part, batch, along), 0.02 * length);
        var random = gradients.ToDictionary(g => g.Key, g => OperatorCase.Values(g.Value.Length, 51));
        var unit = Math.Sqrt(random.Values.Sum(r => r.Sum(v => (double)v * v)));
        var other = random.ToDictionary(r => r.Key, r => Array.ConvertAll(r.Value, v => (float)(v / unit)));
        var expected = gradients.Sum(g => g.Value.Zip(other[g.Key], (a, b) => (double)a * b).Sum());
        Assert.Equal(expected, Slope(part, batch, other), 0.02 * length);
    }

    /// <summary>The mean loss's slope by central differences, in train mode.</summary>
    private static double Slope(TorchTunedPart part, TunedBatch batch, Dictionary<string, float[]> direction)
    {
        const float Step = 4e-3f;
        var start = part.Weights();
        var slope = (Loss(Step) - Loss(-Step)) / (2 * Step);
        part.SetWeights(start);
        return slope;

        double Loss(float step)
        {
            float[] Moved(string name, float[] values) =>
                direction.TryGetValue(name, out var d) ? [.. values.Zip(d, (v, delta) => v + step * delta)] : values;
            part.SetWeights(
                new(
                    start.Graph.ToDictionary(w => w.Key, w => Moved(w.Key, w.Value)),
                    Moved("head 0 weights", start.HeadWeights),
                    Moved("head 0 bias", start.HeadBias)
                )
            );
            var result = part.Train(batch, 0, 0);
            return result.Loss / result.Weight;
        }
    }
}
