using TransferPipeline.TorchSharp.Tuning;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>Products in bfloat16, which has 8 significant bits, beside the same in float32.</summary>
public sealed class Bfloat16Tests
{
    private static readonly string Lite0 = Path.Combine(SharedData.Repository, "models", "efficientnet-lite0.onnx");

    public Bfloat16Tests()
    {
        TunedParts.RequireTorch();
        if (Bfloat16.Problem is { } problem)
            Assert.Skip(problem);
    }

    public static TheoryData<string> Cases => OperatorTests.Differentiable;

    /// <summary>
    /// Every case has a product, so that the two are never equal. A value that rounding moves over a corner of ReLU or to another place of
    /// MaxPool changes the gradient of these few values by more than a tenth.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_AreThoseOfFloat32ButForRounding(string name) => Assert.InRange(Difference(name), 1e-4, 0.25);

    [Fact]
    public void Gradients_OfMostOperatorsDifferByRoundingAlone()
    {
        double[] sorted = [.. OperatorCases.All.Where(c => c.Value.HasDerivative).Select(c => Difference(c.Key)).Order()];
        Assert.InRange(sorted[sorted.Length / 2], 1e-4, 0.02);
    }

    [Fact]
    public void Gradients_OfABackboneAreThoseOfFloat32ButForRounding()
    {
        var graph = TunedParts.Whole(Lite0);
        Assert.InRange(Difference(graph, TunedParts.Batch(graph, 8)), 1e-4, 0.1);
    }

    [Fact]
    public void Train_GivesTheSameBytesForAnyThreads()
    {
        var graph = TunedParts.Whole(Lite0);
        Assert.Equal(TunedParts.Trained(graph, Options(1)), TunedParts.Trained(graph, Options(2)));
    }

    /// <summary>The weights themselves are float32: rounded ones would lose what a step adds.</summary>
    [Fact]
    public void Load_GoesOnAsAnUndisturbedRun()
    {
        var graph = TunedParts.Whole(Lite0);
        using var whole = new TorchTuner().Open(graph, Options(2));
        whole.Train(TunedParts.Batch(graph, 4, 1), 0.001, 0.01);
        var saved = TunedParts.State(whole);
        whole.Train(TunedParts.Batch(graph, 4, 2), 0.001, 0.01);
        using var resumed = new TorchTuner().Open(graph, Options(2));
        resumed.Load(new MemoryStream(saved));
        resumed.Train(TunedParts.Batch(graph, 4, 2), 0.001, 0.01);
        Assert.Equal(TunedParts.State(whole), TunedParts.State(resumed));
        Assert.All(whole.Weights().Graph.Values, values => Assert.Contains(values, v => !Bfloat16.IsExact(v)));
    }

    [Fact]
    public void Evaluate_ComputesInFloat32()
    {
        var graph = TunedParts.Whole(Lite0);
        var batch = TunedParts.Batch(graph, 3);
        var features = new[] { new TunerOptions(), Options(1) }.Select(options =>
        {
            using var part = new TorchTuner().Open(graph, options);
            var values = new float[3 * graph.Head.Dimension];
            part.Evaluate(batch, new float[3 * TunedParts.Classes], values);
            return values;
        });
        Assert.Equal(features.First(), features.Last());
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(-0.5, true)]
    [InlineData(0.1, false)]
    [InlineData(1 + 1.0 / 256, false)]
    public void IsExact_IsTrueOfEightSignificantBits(double value, bool expected) => Assert.Equal(expected, Bfloat16.IsExact(value));

    private static TunerOptions Options(int threads) => new() { Threads = threads, Precision = TunerPrecision.Bfloat16 };

    private static double Difference(string name) => Difference(OperatorCases.All[name].Create(), OperatorCases.All[name].Batch());

    /// <summary>Length of the difference of the gradients, relative to the length of float32's.</summary>
    private static double Difference(TunedGraph graph, TunedBatch batch)
    {
        using var exact = TorchTuner.OpenPart(graph, new() { Threads = 2 });
        using var rounded = TorchTuner.OpenPart(graph, Options(2));
        var (expected, found) = (exact.Gradients(batch), rounded.Gradients(batch));
        Assert.Equal(expected.Keys.Order(), found.Keys.Order());
        var difference = expected.Sum(g => g.Value.Zip(found[g.Key], (a, b) => ((double)a - b) * (a - b)).Sum());
        return Math.Sqrt(difference / expected.Values.Sum(g => g.Sum(v => (double)v * v)));
    }
}
