using TransferPipeline.Onnx;

namespace TransferPipeline.Quantization;

/// <summary>
/// Cross-layer equalization (Nagel et al. 2019): channels of a map whose ranges differ share one scale of 8 bits badly, as those before
/// and behind depthwise convolutions do. Each channel is divided by a factor where it is made and multiplied by it where it is used.
/// The factor balances the map and the weights that take it (as SmoothQuant does, Xiao et al. 2023); weights of a depthwise consumer
/// have a scale of their own for each channel, so there the map is equalized alone.
/// </summary>
internal static class Equalization
{
    /// <summary>Factors stay within it: beyond it a channel that calibration photos hardly used would saturate on others.</summary>
    private const double Largest = 32;

    /// <summary>Room above the largest value seen, where a Clip's bound moves with the factor.</summary>
    private const double Room = 1.25;

    /// <returns>The same network with other weights; null when it has nothing to equalize.</returns>
    public static FloatNetwork? Apply(FloatNetwork network, IReadOnlyDictionary<string, TensorStatistics> statistics, double balance)
    {
        var groups = ChannelGroups.Find(network).Where(g => g.Tensors.Any(statistics.ContainsKey)).ToList();
        if (groups.Count == 0)
            return null;
        // One Layer per node: a convolution that consumes one group and produces the next is scaled by both.
        var layers = groups
            .SelectMany(g => g.Producers.Concat(g.Consumers))
            .Distinct()
            .ToDictionary(n => n, n => Layer.Of(network.Index, n), (IEqualityComparer<NodeProto>)ReferenceEqualityComparer.Instance);
        foreach (var group in groups)
            Scale(group, layers, Factors(group, layers, statistics, balance));
        return Write(network, layers.Values);
    }

    private static double[] Factors(
        ChannelGroup group,
        Dictionary<NodeProto, Layer> layers,
        IReadOnlyDictionary<string, TensorStatistics> statistics,
        double balance
    )
    {
        var channels = (int)layers[group.Producers[0]].Dims[0];
        var (map, weights) = (new double[channels], new double[channels]);
        foreach (var tensor in group.Tensors.Where(statistics.ContainsKey))
        {
            for (var c = 0; c < channels; c++)
                // A residual sum and its operands share one factor per channel, so the largest magnitude counts.
                map[c] = Math.Max(map[c], statistics[tensor].Magnitudes[c]);
        }

        var isDepthwise = group.Consumers.All(c => layers[c].IsDepthwise);
        foreach (var layer in group.Consumers.Select(c => layers[c]).Where(l => !l.IsDepthwise))
        {
            for (var i = 0; i < layer.Weights.Length; i++)
                weights[layer.InputChannel(i)] = Math.Max(weights[layer.InputChannel(i)], Math.Abs(layer.Weights[i]));
        }

        var (mapTop, weightTop) = (map.Max(), weights.Max());
        var factors = new double[channels];
        for (var c = 0; c < channels; c++)
        {
            // 1e-30 only keeps a map or weights that are all 0 from a division by 0.
            var (m, w) = (
                Math.Max(map[c] / Math.Max(mapTop, 1e-30), 1 / Largest),
                Math.Max(weights[c] / Math.Max(weightTop, 1e-30), 1 / Largest)
            );
            // SmoothQuant's balance: m^a / w^(1 - a) moves the difference of channels from the map to the weights.
            factors[c] = isDepthwise ? m : Math.Pow(m, balance) / Math.Pow(w, 1 - balance);
        }

        // The largest factor is 1: channels are only enlarged towards the widest one, and the map's range stays what it was.
        var top = factors.Max();
        for (var c = 0; c < channels; c++)
        {
            factors[c] = Math.Max(factors[c] / top, 1 / Largest);
            // With a Clip the factor moves its bound: no value that was seen may reach the new one before the old.
            if (float.IsFinite(group.Bound))
                factors[c] = Math.Min(1, Math.Max(factors[c], Room * map[c] / group.Bound));
        }

        return factors;
    }

    private static void Scale(ChannelGroup group, Dictionary<NodeProto, Layer> layers, double[] factors)
    {
        foreach (var layer in group.Producers.Select(p => layers[p]))
        {
            for (var i = 0; i < layer.Weights.Length; i++)
                // A convolution is linear: an output channel is divided by its factor when its weights and its bias are.
                layer.Weights[i] = (float)(layer.Weights[i] / factors[layer.Layout.OutputOf(i)]);
            for (var c = 0; c < layer.Bias.Length; c++)
                layer.Bias[c] = (float)(layer.Bias[c] / factors[c]);
        }

        foreach (var layer in group.Consumers.Select(c => layers[c]))
        {
            for (var i = 0; i < layer.Weights.Length; i++)
                layer.Weights[i] = (float)(layer.Weights[i] * factors[layer.InputChannel(i)]);
        }
    }

    private static FloatNetwork Write(FloatNetwork network, IEnumerable<Layer> layers)
    {
        // A clone: the network as it is stays a candidate, since equalization is kept only where vectors get closer.
        var model = network.Model.Clone();
        var initializers = model.Graph.Initializer.ToDictionary(i => i.Name, StringComparer.Ordinal);
        foreach (var layer in layers)
        {
            Replace(layer.Node.Input[1], layer.Weights);
            if (layer.Bias.Length > 0)
                Replace(layer.Node.Input[2], layer.Bias);
        }

        return network.With(model);

        void Replace(string name, float[] values)
        {
            var at = model.Graph.Initializer.IndexOf(initializers[name]);
            // The name stays: ChannelGroups has checked that only this layer uses the initializer.
            model.Graph.Initializer[at] = TensorData.Of(name, values, [.. initializers[name].Dims]);
        }
    }
}
