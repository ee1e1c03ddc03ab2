using TransferPipeline.Inference;

namespace TransferPipeline.Quantization;

/// <summary>Weights in 8 bits with one scale per output channel; 0 stays 0.</summary>
/// <param name="Values">In the order of the float weights.</param>
/// <param name="Scales">One per output channel.</param>
internal sealed record QuantizedWeights(sbyte[] Values, float[] Scales)
{
    public float Value(int index, int channel) => Values[index] * Scales[channel];
}

/// <summary>Rounds weights and biases.</summary>
internal static class WeightQuantizer
{
    /// <summary>Largest magnitude of a bias in its int32 form: sums of products have room beside it.</summary>
    private const double LargestBias = 1 << 30;

    /// <summary>Largest magnitude of a weight in 8 bits.</summary>
    public static int Largest(WeightRange range) =>
        range == WeightRange.Reduced || (range == WeightRange.Auto && IntegerArithmetic.SaturatesIn16Bits)
            ? IntegerArithmetic.ReducedWeight
            : 127;

    /// <param name="weights">In float.</param>
    /// <param name="largest">Largest magnitude of a rounded weight.</param>
    /// <param name="layout">Where the channel of a value is.</param>
    /// <param name="bias">Of the layer, or null; a channel of tiny weights gets a scale that its bias fits.</param>
    /// <param name="inputScale">Of the layer's input.</param>
    public static QuantizedWeights Quantize(
        ReadOnlySpan<float> weights,
        ChannelAxis layout,
        int largest,
        ReadOnlySpan<float> bias,
        float inputScale
    )
    {
        var magnitudes = new float[layout.Channels];
        for (var i = 0; i < weights.Length; i++)
        {
            var channel = layout.Of(i);
            magnitudes[channel] = Math.Max(magnitudes[channel], Math.Abs(weights[i]));
        }

        var scales = new float[layout.Channels];
        for (var c = 0; c < scales.Length; c++)
        {
            var scale = magnitudes[c] / largest;
            if (bias.Length > 0)
                // A smaller scale would push the bias beyond its largest int32; its weights hardly matter beside it.
                scale = (float)Math.Max(scale, Math.Abs(bias[c]) / (inputScale * LargestBias));
            // A channel of zeros would get the scale 0, and its weights NaN.
            scales[c] = scale > 1e-30f ? scale : 1e-30f;
        }

        var values = new sbyte[weights.Length];
        for (var i = 0; i < weights.Length; i++)
            // Clamped, since rounding of the scale to float32 can push the largest weight one level too far.
            values[i] = (sbyte)Math.Clamp(Math.Round((double)weights[i] / scales[layout.Of(i)]), -largest, largest);
        return new(values, scales);
    }

    /// <summary>A bias in the unit of the sums, which is the product of both scales.</summary>
    public static int[] Bias(ReadOnlySpan<float> bias, ReadOnlySpan<float> scales, float inputScale)
    {
        var values = new int[bias.Length];
        for (var c = 0; c < values.Length; c++)
            values[c] = (int)Math.Clamp(Math.Round(bias[c] / ((double)scales[c] * inputScale)), -LargestBias, LargestBias);
        return values;
    }
}

/// <summary>The axis of output channels in a weight.</summary>
/// <param name="Channels">Its length.</param>
/// <param name="Inner">Values of one channel that lie side by side.</param>
/// <param name="Axis">Its number.</param>
internal readonly record struct ChannelAxis(int Channels, int Inner, int Axis)
{
    public int Of(int index) => index / Inner % Channels;

    /// <summary>Of a Conv, a Gemm or a MatMul.</summary>
    public static ChannelAxis Of(Onnx.NodeProto node, IReadOnlyList<long> dims)
    {
        // ONNX stores a Conv's weights with the outputs first, a MatMul's with them last, a Gemm's by transB.
        var axis = node.OpType == "Conv" || (node.OpType == "Gemm" && Onnx.OnnxAttributes.Int(node, "transB", 0) != 0) ? 0 : 1;
        return new((int)dims[axis], (int)dims.Skip(axis + 1).Aggregate(1L, (product, d) => product * d), axis);
    }
}
