using TransferPipeline.Onnx;

namespace TransferPipeline.Quantization;

/// <summary>Weights and bias of a Conv, Gemm or MatMul.</summary>
/// <param name="Bias">Empty without one.</param>
internal sealed record Layer(NodeProto Node, float[] Weights, long[] Dims, float[] Bias)
{
    public ChannelAxis Axis { get; } = ChannelAxis.Of(Node, Dims);

    public static Layer Of(GraphIndex index, NodeProto node)
    {
        var weights = index.Constant(node.Input[1])!;
        var bias = node.Input.Count > 2 && node.Input[2].Length > 0 ? TensorData.Floats(index.Constant(node.Input[2])!) : [];
        return new(node, TensorData.Floats(weights), [.. weights.Dims], bias);
    }

    /// <summary>Input channel of a weight: of a grouped Conv its channel in the whole input.</summary>
    public int InputChannel(int index)
    {
        if (Node.OpType != "Conv")
            return (int)(Axis.Axis == 0 ? index % Dims[1] : index / Dims[1]);
        var inner = (int)Dims.Skip(2).Aggregate(1L, (product, d) => product * d);
        // ONNX stores a Conv's weights as outputs x (inputs of one group) x kernel; groups follow each other.
        var (output, inGroup) = (index / inner / (int)Dims[1], index / inner % (int)Dims[1]);
        var groups = (int)Node.Int("group", 1);
        return (output / ((int)Dims[0] / groups) * (int)Dims[1]) + inGroup;
    }

    public bool IsDepthwise => Node.OpType == "Conv" && Node.Int("group", 1) > 1 && Dims[1] == 1;
}
