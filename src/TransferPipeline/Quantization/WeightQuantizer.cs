using TransferPipeline.Onnx;

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

    /// <summary>Largest magnitude of a weight.</summary>
    private const int Largest = 127;

    /// <summary>Steps of 5 % from the scale that the largest weight wants to twice that, where all pairs of products fit.</summary>
    private const int ScaleSteps = 20;

    /// <param name="weights">In float.</param>
    /// <param name="layout">Where the channel of a value is, and the order of its products.</param>
    /// <param name="bias">Of the layer, or empty; a channel of tiny weights gets a scale that its bias fits.</param>
    /// <param name="inputScale">Of the layer's input.</param>
    /// <param name="fitPairs">
    /// Whether two products have to fit into 16 bits (<see cref="IntegerArithmetic.Fits"/>). Each channel then gets the scale of least
    /// squared error: a large one rounds all weights more, a small one clips pairs of large weights.
    /// </param>
    public static QuantizedWeights Quantize(
        ReadOnlySpan<float> weights,
        WeightLayout layout,
        ReadOnlySpan<float> bias,
        float inputScale,
        bool fitPairs = false
    )
    {
        var magnitudes = new float[layout.Outputs];
        for (var i = 0; i < weights.Length; i++)
        {
            var channel = layout.OutputOf(i);
            magnitudes[channel] = Math.Max(magnitudes[channel], Math.Abs(weights[i]));
        }

        var scales = new float[layout.Outputs];
        for (var c = 0; c < scales.Length; c++)
        {
            var scale = magnitudes[c] / Largest;
            if (bias.Length > 0)
                // A smaller scale would push the bias beyond its largest int32; its weights hardly matter beside it.
                scale = (float)Math.Max(scale, Math.Abs(bias[c]) / (inputScale * LargestBias));
            // A channel of zeros would get the scale 0, and its weights NaN.
            scales[c] = scale > 1e-30f ? scale : 1e-30f;
        }

        var values = new sbyte[weights.Length];
        if (fitPairs)
        {
            for (var c = 0; c < scales.Length; c++)
                scales[c] = QuantizePairs(weights, layout, c, scales[c], values);
            return new(values, scales);
        }

        for (var i = 0; i < weights.Length; i++)
            values[i] = Round(weights[i], scales[layout.OutputOf(i)]);
        return new(values, scales);
    }

    // Clamped, since rounding of the scale to float32 can push the largest weight one level too far.
    private static sbyte Round(float weight, float scale) => (sbyte)Math.Clamp(Math.Round((double)weight / scale), -Largest, Largest);

    /// <summary>Rounds one channel so that its pairs fit, and returns the scale.</summary>
    private static float QuantizePairs(ReadOnlySpan<float> weights, WeightLayout layout, int channel, float smallest, sbyte[] values)
    {
        var (best, least) = (smallest, double.PositiveInfinity);
        for (var step = 0; step <= ScaleSteps; step++)
        {
            var scale = smallest * (1 + ((float)step / ScaleSteps));
            var error = RoundPairs(weights, layout, channel, scale, values);
            if (error < least)
                (best, least) = (scale, error);
        }

        RoundPairs(weights, layout, channel, best, values);
        return best;
    }

    /// <returns>The squared error, in the unit of the weights.</returns>
    private static double RoundPairs(ReadOnlySpan<float> weights, WeightLayout layout, int channel, float scale, sbyte[] values)
    {
        var sum = 0.0;
        for (var k = 0; k < layout.Length; k += 2)
        {
            var first = layout.Index(channel, k);
            values[first] = Round(weights[first], scale);
            // The last product of an odd number is alone.
            if (k + 1 < layout.Length)
            {
                var second = layout.Index(channel, k + 1);
                values[second] = Round(weights[second], scale);
                Clip(ref values[first], ref values[second]);
                sum += Square(weights[second] - ((double)values[second] * scale));
            }

            sum += Square(weights[first] - ((double)values[first] * scale));
        }

        return sum;
    }

    /// <summary>Takes what two weights of one sign have too much from both alike, which is the nearest pair that fits.</summary>
    private static void Clip(ref sbyte first, ref sbyte second)
    {
        if (IntegerArithmetic.Fits(first, second))
            return;
        var excess = Math.Abs(first) + Math.Abs(second) - IntegerArithmetic.LargestPair;
        var sign = Math.Sign(first);
        first -= (sbyte)(sign * ((excess + 1) / 2));
        second -= (sbyte)(sign * (excess / 2));
    }

    private static double Square(double value) => value * value;

    /// <summary>A bias in the unit of the sums, which is the product of both scales.</summary>
    public static int[] Bias(ReadOnlySpan<float> bias, ReadOnlySpan<float> scales, float inputScale)
    {
        var values = new int[bias.Length];
        for (var c = 0; c < values.Length; c++)
            values[c] = (int)Math.Clamp(Math.Round(bias[c] / ((double)scales[c] * inputScale)), -LargestBias, LargestBias);
        return values;
    }
}
