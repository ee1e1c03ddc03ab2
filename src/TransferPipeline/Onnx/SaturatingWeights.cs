namespace TransferPipeline.Onnx;

/// <summary>Finds 8-bit weights whose products a CPU without VNNI cannot add (<see cref="IntegerArithmetic.Fits"/>).</summary>
internal static class SaturatingWeights
{
    public static bool In(GraphProto graph)
    {
        foreach (var tensor in graph.Initializer.Where(t => (TensorProto.Types.DataType)t.DataType == TensorProto.Types.DataType.Int8))
        {
            var values = TensorData.Int8s(tensor);
            // Small weights fit in every order, and need no search for their users.
            if (
                values
                    .AsSpan()
                    .ContainsAnyExceptInRange((sbyte)(-IntegerArithmetic.LargestPair / 2), (sbyte)(IntegerArithmetic.LargestPair / 2))
                && Users(graph, tensor.Name).Any(u => Saturates(u, tensor, values))
            )
                return true;
        }

        return false;
    }

    /// <summary>The nodes that compute with a tensor; both forms of quantized graphs, with DequantizeLinear between or without.</summary>
    private static IEnumerable<NodeProto> Users(GraphProto graph, string tensor) =>
        graph
            .Node.Where(n => n.Input.Contains(tensor))
            .SelectMany(n => n.OpType == "DequantizeLinear" ? graph.Node.Where(u => u.Input.Contains(n.Output[0])) : [n]);

    private static bool Saturates(NodeProto user, TensorProto tensor, sbyte[] values)
    {
        if (WeightLayout.IsWidened(user, tensor.Dims))
            return false;
        if (WeightLayout.Of(user, tensor.Dims) is not { } order || values.Length != (long)order.Outputs * order.Length)
            // Of what is none of the known layers nobody knows here in which order it adds. Scales and zero points have one dimension.
            return tensor.Dims.Count > 1 && (WeightLayout.HasProducts(user) || user.Domain is not ("" or "ai.onnx"));
        for (var output = 0; output < order.Outputs; output++)
        {
            for (var k = 0; k + 1 < order.Length; k += 2)
            {
                if (!IntegerArithmetic.Fits(values[order.Index(output, k)], values[order.Index(output, k + 1)]))
                    return true;
            }
        }

        return false;
    }
}
