namespace TransferPipeline.Quantization;

/// <summary>
/// Rounded weights shift the mean of each output channel by (rounded - exact) x mean of the inputs; the bias takes it back (Nagel et
/// al. 2019, "Data-free quantization", with the means that calibration photos show).
/// </summary>
internal static class BiasCorrection
{
    /// <param name="means">Mean of each input channel.</param>
    /// <returns>The bias with the correction; of a MatMul, which has none, nothing.</returns>
    public static float[] Correct(Layer layer, QuantizedWeights weights, double[] means)
    {
        // A MatMul has no bias input, and an Add behind it would be one more operator.
        if (layer.Node.OpType == "MatMul")
            return layer.Bias;
        var shifts = new double[layer.Layout.Outputs];
        for (var i = 0; i < layer.Weights.Length; i++)
        {
            var channel = layer.Layout.OutputOf(i);
            var input = layer.InputChannel(i);
            // A flattened map has more inputs than channels were seen; such layers keep their bias.
            if (input >= means.Length)
                return layer.Bias;
            shifts[channel] += (weights.Value(i, channel) - layer.Weights[i]) * means[input];
        }

        var bias = layer.Bias.Length > 0 ? [.. layer.Bias] : new float[layer.Layout.Outputs];
        for (var c = 0; c < bias.Length; c++)
            bias[c] = (float)(bias[c] - shifts[c]);
        return bias;
    }
}
