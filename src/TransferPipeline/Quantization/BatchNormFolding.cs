using TransferPipeline.Onnx;

namespace TransferPipeline.Quantization;

/// <summary>
/// Folds a batch normalization into the convolution before it (Jacob et al. 2018), where ONNX Runtime's own simplification left it:
/// y = gamma (W x + b - mean) / sqrt(variance + epsilon) + beta is again a convolution.
/// </summary>
internal static class BatchNormFolding
{
    public static void Apply(ModelProto model, string input)
    {
        var index = new GraphIndex(model.Graph, input);
        // ToList: Fold removes nodes from the list that this loop goes over.
        foreach (var norm in model.Graph.Node.Where(n => n.OpType == "BatchNormalization").ToList())
        {
            // With another user, or as an output of the network, the convolution's own result has to remain.
            if (
                index.Producer(norm.Input[0]) is not { OpType: "Conv" } conv
                || index.Constant(conv.Input[1]) is not { } weights
                || norm.Input.Skip(1).Any(i => index.Constant(i) is null)
                || (conv.Input.Count > 2 && conv.Input[2].Length > 0 && index.Constant(conv.Input[2]) is null)
                || Users(model.Graph, conv.Output[0]) != 1
            )
                continue;
            Fold(model, index, conv, norm, weights);
        }
    }

    public static int Users(GraphProto graph, string tensor) =>
        graph.Node.Sum(n => GraphIndex.Inputs(n).Count(i => i == tensor)) + graph.Output.Count(o => o.Name == tensor);

    private static void Fold(ModelProto model, GraphIndex index, NodeProto conv, NodeProto norm, TensorProto weights)
    {
        var parameters = norm.Input.Skip(1).Select(i => TensorData.Floats(index.Constant(i)!)).ToArray();
        var (gamma, beta, mean, variance) = (parameters[0], parameters[1], parameters[2], parameters[3]);
        var epsilon = norm.Attribute("epsilon")?.F ?? 1e-5f;
        var values = TensorData.Floats(weights);
        var bias =
            conv.Input.Count > 2 && conv.Input[2].Length > 0 ? TensorData.Floats(index.Constant(conv.Input[2])!) : new float[gamma.Length];
        var perChannel = values.Length / gamma.Length;
        for (var c = 0; c < gamma.Length; c++)
        {
            // In float64: the rounding of a float32 factor would go into every weight of the channel.
            var factor = gamma[c] / Math.Sqrt((double)variance[c] + epsilon);
            for (var i = c * perChannel; i < (c + 1) * perChannel; i++)
                values[i] = (float)(values[i] * factor);
            bias[c] = (float)(((bias[c] - mean[c]) * factor) + beta[c]);
        }

        var writer = new GraphWriter(model);
        // New initializers: another convolution may use the same weights without a normalization behind it.
        conv.Input[1] = writer.Constant(conv.Input[1] + "_folded", values, [.. weights.Dims]);
        while (conv.Input.Count > 2)
            conv.Input.RemoveAt(2);
        conv.Input.Add(writer.Constant(norm.Input[2] + "_folded", bias, bias.Length));
        conv.Output[0] = norm.Output[0];
        model.Graph.Node.Remove(norm);
    }
}
