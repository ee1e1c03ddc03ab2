using TransferPipeline.Onnx;

namespace TransferPipeline.Quantization;

/// <summary>Weights and bias of a Conv, Gemm or MatMul.</summary>
/// <param name="Bias">Empty without one.</param>
internal sealed record Layer(NodeProto Node, float[] Weights, long[] Dims, float[] Bias)
{
    private readonly int _groups = (int)Node.Int("group", 1);

    public WeightLayout Layout { get; } =
        WeightLayout.Of(Node, Dims)
        ?? throw new ArgumentException($"{Node.OpType} has no weights of {Dims.Length} dimensions", nameof(Dims));

    /// <summary>Whether each output channel takes one input channel.</summary>
    public bool IsDepthwise => _groups > 1 && Layout.Inputs == 1;

    /// <summary>Whether ONNX Runtime adds its products in pairs, which saturates without VNNI.</summary>
    public bool AddsPairs => !WeightLayout.IsWidened(Node, Dims);

    public static Layer Of(GraphIndex index, NodeProto node)
    {
        var weights = index.Constant(node.Input[1])!;
        var bias = node.Input.Count > 2 && node.Input[2].Length > 0 ? TensorData.Floats(index.Constant(node.Input[2])!) : [];
        return new(node, TensorData.Floats(weights), [.. weights.Dims], bias);
    }

    /// <summary>Input channel of a weight: of a grouped Conv its channel in the whole input, where groups follow each other.</summary>
    public int InputChannel(int index) => (Layout.OutputOf(index) / (Layout.Outputs / _groups) * Layout.Inputs) + Layout.InputOf(index);
}
