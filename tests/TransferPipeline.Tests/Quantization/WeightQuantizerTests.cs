using TransferPipeline.Onnx;
using TransferPipeline.Quantization;

namespace TransferPipeline.Tests.Quantization;

/// <summary>Weights, biases and the correction of biases beside values computed by hand.</summary>
public sealed class WeightQuantizerTests
{
    [Fact]
    public void Weights_HaveOneScalePerChannel()
    {
        // Two channels of two weights: magnitudes 2 and 0.5.
        var weights = WeightQuantizer.Quantize([1f, -2f, 0.5f, 0.1f], Rows(2, 2), [], 1);
        Assert.Equal([64, -127, 127, 25], weights.Values.Select(v => (int)v)); // 1 / (2 / 127) = 63.5 rounds to even: 64
        Assert.Equal([2f / 127, 0.5f / 127], weights.Scales);
    }

    [Fact]
    public void Weights_OfTheSecondAxis_AreInterleaved()
    {
        var weights = WeightQuantizer.Quantize([1f, 10f, -1f, 5f], new(2, 2, 1, InputsFirst: true), [], 1);
        Assert.Equal([127, 127, -127, 64], weights.Values.Select(v => (int)v));
    }

    /// <summary>
    /// One channel of four inputs: the first pair is too large together. At the smallest scale, 2 / 127, it would be 127 and 127, and is
    /// clipped; a larger scale rounds the small weights more. The best keeps both errors small.
    /// </summary>
    [Fact]
    public void Pairs_AreClippedOrScaled_WithTheLeastError()
    {
        float[] weights = [2f, 2f, -2f, 1f, 0.01f];
        var rounded = WeightQuantizer.Quantize(weights, Rows(1, 5), [], 1, fitPairs: true);
        for (var k = 0; k + 1 < 5; k += 2)
            Assert.True(IntegerArithmetic.Fits(rounded.Values[k], rounded.Values[k + 1]));
        // 2 / 64 is the only scale at which two weights of 2 fit unclipped.
        Assert.Equal(2f / 127 * 1.95f, rounded.Scales[0], 0.06 * 2 / 127);
        Assert.InRange(rounded.Value(0, 0), 1.95, 2.05);
        // Weights of two signs, and one large weight beside a small one, keep all levels.
        var free = WeightQuantizer.Quantize([2f, -2f, 2f, 0.01f], Rows(1, 4), [], 1, fitPairs: true);
        Assert.Equal([127, -127, 127, 1], free.Values.Select(v => (int)v));
    }

    /// <summary>Many weights as networks have them: nearly all of the error that halving the levels makes is avoided.</summary>
    [Fact]
    public void Pairs_CostLittle()
    {
        var random = new Random(3);
        var weights = new float[512];
        foreach (ref var weight in weights.AsSpan())
            weight = (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5);
        var full = Error(WeightQuantizer.Quantize(weights, Rows(1, 512), [], 1));
        var pairs = Error(WeightQuantizer.Quantize(weights, Rows(1, 512), [], 1, fitPairs: true));
        var halved = weights.Sum(w => Math.Pow((Math.Round(w / (weights.Max(Math.Abs) / 64)) * (weights.Max(Math.Abs) / 64)) - w, 2));
        Assert.InRange(pairs, full, 0.75 * halved);

        double Error(QuantizedWeights rounded) => weights.Select((w, i) => Math.Pow(rounded.Value(i, 0) - w, 2)).Sum();
    }

    /// <summary>A dead channel with a large bias: bias / (scale of weights x scale of inputs) must fit into 32 bits.</summary>
    [Fact]
    public void Bias_OfTinyWeights_Fits()
    {
        float[] bias = [5f];
        var weights = WeightQuantizer.Quantize([1e-20f, -1e-20f], Rows(1, 2), bias, 0.01f);
        var sums = WeightQuantizer.Bias(bias, weights.Scales, 0.01f);
        Assert.Equal(5, sums[0] * (double)weights.Scales[0] * 0.01f, 3);
    }

    /// <summary>One channel: weights 0.30 and 0.104 become 0.3 and 0.1039; the mean inputs are 2 and 4.</summary>
    [Fact]
    public void Correction_TakesBackTheMeanShift()
    {
        var node = new NodeProto { OpType = "Conv" };
        node.Input.AddRange(["x", "w", "b"]);
        var layer = new Layer(node, [0.30f, 0.104f], [1, 2, 1, 1], [1f]);
        var rounded = WeightQuantizer.Quantize(layer.Weights, layer.Layout, layer.Bias, 1);
        var shift = ((rounded.Value(0, 0) - 0.30f) * 2) + ((rounded.Value(1, 0) - 0.104f) * 4);
        Assert.NotEqual(0, shift);
        Assert.Equal(1 - shift, BiasCorrection.Correct(layer, rounded, [2, 4])[0], 5);
    }

    [Fact]
    public void InputChannel_OfAGroupedConv_IsThatOfTheWholeMap()
    {
        var node = new NodeProto { OpType = "Conv" };
        node.Input.AddRange(["x", "w"]);
        node.Attribute.Add(OnnxAttributes.Create("group", 2L));
        // Four outputs, two groups of two inputs each, 1 x 1.
        var layer = new Layer(node, new float[8], [4, 2, 1, 1], []);
        Assert.Equal([0, 1, 0, 1, 2, 3, 2, 3], Enumerable.Range(0, 8).Select(layer.InputChannel));
    }

    private static WeightLayout Rows(int outputs, int inputs) => new(outputs, inputs, Positions: 1, InputsFirst: false);
}
