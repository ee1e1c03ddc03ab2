namespace TransferPipeline.Onnx;

/// <summary>
/// How the weights of a Conv, Gemm or MatMul lie in their tensor, and the order in which ONNX Runtime adds an output's products in 8 bits:
/// by kernel position and then input channel (its Conv works on N x height x width x C), or along the common side of two matrices.
/// </summary>
/// <param name="Outputs">Output channels.</param>
/// <param name="Inputs">Input channels of one group; the common side of matrices.</param>
/// <param name="Positions">Positions of the kernel; 1 of matrices.</param>
/// <param name="InputsFirst">Weights are inputs x outputs, as a MatMul has them.</param>
internal readonly record struct WeightLayout(int Outputs, int Inputs, int Positions, bool InputsFirst)
{
    /// <summary>Products of one output.</summary>
    public int Length => Inputs * Positions;

    /// <summary>The axis of output channels.</summary>
    public int Axis => InputsFirst ? 1 : 0;

    /// <summary>
    /// ONNX stores a Conv's weights as outputs x (inputs of one group) x kernel, a MatMul's with the outputs last, a Gemm's by transB. Null
    /// for other operators and for stacks of matrices.
    /// </summary>
    public static WeightLayout? Of(NodeProto node, IReadOnlyList<long> dims) =>
        node.OpType switch
        {
            _ when !HasProducts(node) => null,
            "Conv" or "QLinearConv" or "ConvInteger" when dims.Count > 2 => new(
                (int)dims[0],
                (int)dims[1],
                (int)dims.Skip(2).Aggregate(1L, (product, d) => product * d),
                InputsFirst: false
            ),
            "Gemm" or "QGemm" when dims.Count == 2 && node.Int("transB", 0) != 0 => new((int)dims[0], (int)dims[1], 1, InputsFirst: false),
            not ("Conv" or "QLinearConv" or "ConvInteger") when dims.Count == 2 => new((int)dims[1], (int)dims[0], 1, InputsFirst: true),
            _ => null,
        };

    /// <summary>Whether an operator adds products of a photo's levels and weights.</summary>
    public static bool HasProducts(NodeProto node) =>
        node.OpType
            is "Conv"
                or "QLinearConv"
                or "ConvInteger"
                or "Gemm"
                or "QGemm"
                or "MatMul"
                or "QLinearMatMul"
                or "MatMulInteger"
                or "MatMulIntegerToFloat"
                or "DynamicQuantizeMatMul";

    /// <summary>Whether ONNX Runtime widens the bytes before it multiplies: with one input and one output channel in each group.</summary>
    public static bool IsWidened(NodeProto node, IReadOnlyList<long> dims) =>
        dims.Count > 2 && dims[1] == 1 && dims[0] == node.Int("group", 1) && dims[0] > 1;

    /// <summary>Where the weight of product number <paramref name="k"/> of an output is.</summary>
    public int Index(int output, int k) =>
        InputsFirst ? (k * Outputs) + output : (((output * Inputs) + (k % Inputs)) * Positions) + (k / Inputs);

    /// <summary>The output channel of the weight at an index.</summary>
    public int OutputOf(int index) => InputsFirst ? index % Outputs : index / Length;

    /// <summary>The input channel of the weight at an index, within its group.</summary>
    public int InputOf(int index) => InputsFirst ? index / Outputs : index / Positions % Inputs;
}
