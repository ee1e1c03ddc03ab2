using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>A layer with constant weights that a walk from an output met: a classifier, or a projection.</summary>
/// <param name="Layer">Gemm, MatMul, an Einsum that is one, a Conv that leaves one position, a quantized form of one, a classifier of
/// ai.onnx.ml, or an If around one.</param>
/// <param name="Feature">Its input in float.</param>
/// <param name="Quantized">Scale and zero point when <paramref name="Feature"/> exists only in 8 bits.</param>
/// <param name="IsConv">A 1x1 Conv; before a pooling its feature is a map.</param>
/// <param name="Inputs">Length of the vector that it takes, 0 when unknown.</param>
/// <param name="Units">Length of the vector that it makes, 0 when unknown.</param>
/// <param name="Weights">Name of its weights, empty when they have none.</param>
/// <param name="HasBias">The layer itself adds one.</param>
internal sealed record WeightedLayer(
    NodeProto Layer,
    string Feature,
    (string Scale, string ZeroPoint)? Quantized,
    bool IsConv,
    int Inputs,
    int Units,
    string Weights,
    bool HasBias
)
{
    private static readonly string[] MachineLearning =
    [
        "LinearClassifier",
        "LinearRegressor",
        "SVMClassifier",
        "SVMRegressor",
        "TreeEnsembleClassifier",
        "TreeEnsembleRegressor",
        "TreeEnsemble",
    ];

    /// <returns>Null when the node is no such layer.</returns>
    public static WeightedLayer? Of(GraphIndex index, NodeProto node)
    {
        if (node.Domain == "ai.onnx.ml")
        {
            return MachineLearning.Contains(node.OpType) && index.Depends(node.Input[0])
                ? new(node, FloatSource(index, node.Input[0]).Tensor, null, false, 0, Labels(node), "", true)
                : null;
        }

        if (node.OpType == "If")
            return InBranches(index, node);
        if (node.OpType == "Einsum")
            return OfEquation(index, node);
        // Where the layer keeps data, weights, bias, and (quantized ones) the data's scale and zero point.
        var (data, weights, bias, scale, zeroPoint) = node.OpType switch
        {
            "Gemm" or "Conv" or "FusedGemm" or "FusedConv" => (0, 1, 2, -1, -1),
            "MatMul" or "FusedMatMul" => (0, 1, -1, -1, -1),
            "MatMulInteger" or "ConvInteger" => (0, 1, -1, -1, 2),
            "QLinearMatMul" => (0, 3, -1, 1, 2),
            "QLinearConv" => (0, 3, 8, 1, 2),
            "QGemm" => (0, 3, 6, 1, 2),
            // Integer products as ONNX Runtime's optimizer joins them with what is around them, and weights of 4 bits.
            "DynamicQuantizeMatMul" => (0, 1, 4, -1, -1),
            "MatMulIntegerToFloat" => (0, 1, 6, -1, -1),
            "MatMulNBits" => (0, 1, 5, -1, -1),
            _ => (-1, -1, -1, -1, -1),
        };
        if (data < 0 || node.Input.Count <= weights)
            return null;
        var onTheLeft = node.OpType is "Gemm" or "MatMul" && !index.Depends(node.Input[0]) && index.Depends(node.Input[1]);
        if (onTheLeft)
            (data, weights) = (1, 0);
        if (!index.Depends(node.Input[data]) || index.Depends(node.Input[weights]))
            return null;
        // Weights of 4 bits are packed; attributes have their shape.
        var shape = node.OpType == "MatMulNBits" ? [node.Int("K", 0), node.Int("N", 0)] : ConstantShape.Of(index, node.Input[weights]);
        var isConv = node.OpType.Contains("Conv", StringComparison.Ordinal);
        // A grouped convolution sees part of the channels for each output and is no classifier.
        if (isConv && (shape is not { Length: 4 } || node.Int("group", 1) != 1))
            return null;
        // Gemm's flag of the operand that holds the weights.
        var transposed = node.Int(onTheLeft ? "transA" : "transB", 0) != 0;
        var (inputs, units) = shape switch
        {
            null or { Length: 0 } => (0, 0),
            { Length: 4 } when isConv => ((int)shape[1], (int)shape[0]),
            { Length: 1 } => ((int)shape[0], 1),
            // Weights are inputs x outputs on the right, outputs x inputs on the left, each the other way round when transposed.
            _ when transposed != onTheLeft => ((int)shape[^1], (int)shape[^2]),
            _ => ((int)shape[^2], (int)shape[^1]),
        };
        var tensor = BeforeDropout(index, onTheLeft ? Untransposed(index, node.Input[data]) : node.Input[data]);
        var (feature, inEightBits) = FloatSource(index, tensor);
        // Only an 8-bit tensor without a float form needs its scale at the cut.
        var quantized = !inEightBits || scale < 0 ? ((string, string)?)null : (node.Input[scale], node.Input[zeroPoint]);
        return new(
            node,
            feature,
            quantized,
            isConv,
            inputs,
            units,
            node.Input[weights],
            bias >= 0 && node.Input.Count > bias && node.Input[bias].Length > 0
        );
    }

    /// <summary>Kernel and padding of a Conv are 1x1 and none.</summary>
    public bool IsPointwise(GraphIndex index) => ConstantShape.Of(index, Weights) is { Length: 4 } shape && shape[2] == 1 && shape[3] == 1;

    /// <summary>A Conv over the whole map: no padding, as a Gemm over the flattened map.</summary>
    public bool CoversMap(GraphIndex index) =>
        ConstantShape.Of(index, Weights) is { Length: 4 } shape
        && shape[2] * shape[3] > 1
        && (Layer.Ints("pads") ?? []).All(p => p == 0)
        && Layer.Attribute("auto_pad")?.S.ToStringUtf8() is null or "" or "NOTSET" or "VALID";

    /// <summary>
    /// A layer in one of the branches of an If, as exporters write what depends on a shape; its feature comes from outside.
    /// </summary>
    private static WeightedLayer? InBranches(GraphIndex index, NodeProto node)
    {
        var branches = node.Attribute.Where(a => a.G is not null).Select(a => a.G).ToList();
        // Both branches compute the same layer for other shapes, so the first one found suffices. Each may have its weights under one name.
        foreach (
            var (branch, inner) in branches
                .SelectMany(b => b.Node, (b, n) => (b, n))
                .Where(p => p.n.OpType is "Gemm" or "MatMul" && p.n.Input.Count > 1)
        )
        {
            if (!index.Depends(inner.Input[0]))
                continue;
            var shape = branch.Initializer.FirstOrDefault(i => i.Name == inner.Input[1]) is { } own
                ? [.. own.Dims]
                : ConstantShape.Of(index, inner.Input[1]);
            if (shape is { Length: 2 })
            {
                var transposed = inner.Int("transB", 0) != 0;
                return new(
                    node,
                    FloatSource(index, inner.Input[0]).Tensor,
                    null,
                    false,
                    (int)shape[transposed ? 1 : 0],
                    (int)shape[transposed ? 0 : 1],
                    inner.Input[1],
                    inner.Input.Count > 2
                );
            }
        }

        return null;
    }

    /// <summary>A matrix product in Einsum's words, such as "nd,dc->nc", in any letters and order.</summary>
    private static WeightedLayer? OfEquation(GraphIndex index, NodeProto node)
    {
        var equation = (node.Attribute("equation")?.S.ToStringUtf8() ?? "").Replace(" ", "", StringComparison.Ordinal);
        if (equation.Split("->") is not [var taken, var made] || taken.Split(',') is not [var first, var second])
            return null;
        if (node.Input.Count != 2 || index.Depends(node.Input[0]) == index.Depends(node.Input[1]))
            return null;
        var at = index.Depends(node.Input[0]) ? 0 : 1;
        var (data, weights) = at == 0 ? (first, second) : (second, first);
        // One letter is summed over, the other one is the units'.
        var sum = weights.Length == 2 ? weights.IndexOf(weights.FirstOrDefault(l => data.Contains(l) && !made.Contains(l))) : -1;
        if (sum < 0 || data.Contains(weights[1 - sum]) || !made.Contains(weights[1 - sum]))
            return null;
        var shape = ConstantShape.Of(index, node.Input[1 - at]);
        var (inputs, units) = shape is { Length: 2 } ? ((int)shape[sum], (int)shape[1 - sum]) : (0, 0);
        return new(node, FloatSource(index, node.Input[at]).Tensor, null, false, inputs, units, node.Input[1 - at], false);
    }

    private static int Labels(NodeProto node) =>
        new[] { "classlabels_int64s", "classlabels_ints" }
            .Select(n => node.Attribute(n)?.Ints.Count ?? 0)
            .Append(node.Attribute("classlabels_strings")?.Strings.Count ?? 0)
            .Max();

    /// <summary>The N x D tensor behind a product whose weights stand on the left and which therefore takes D x N.</summary>
    private static string Untransposed(GraphIndex index, string tensor) =>
        index.Producer(tensor) is { OpType: "Transpose" } transpose && transpose.Ints("perm") is null or [1, 0]
            ? transpose.Input[0]
            : tensor;

    /// <summary>Dropout that was exported in training mode belongs to the classifier; without it the feature is what it was.</summary>
    private static string BeforeDropout(GraphIndex index, string tensor) =>
        index.Producer(tensor) is { OpType: "Dropout" } dropout && Randomness.IsRandom(index, dropout) ? dropout.Input[0] : tensor;

    /// <summary>
    /// The float tensor that was quantized to make <paramref name="tensor"/>; itself when it is float or has no float form.
    /// </summary>
    private static (string Tensor, bool InEightBits) FloatSource(GraphIndex index, string tensor)
    {
        if (
            index.Producer(tensor) is { OpType: "DequantizeLinear" } dequantize
            && index.Producer(dequantize.Input[0]) is { OpType: "QuantizeLinear" } quantize
        )
            return (quantize.Input[0], false);
        return index.Producer(tensor) switch
        {
            { OpType: "QuantizeLinear" or "DynamicQuantizeLinear" } node => (node.Input[0], false),
            { OpType: { } op } => (
                tensor,
                op.StartsWith("QLinear", StringComparison.Ordinal) || op is "QGemm" or "Flatten" or "Reshape" or "Squeeze"
            ),
            null => (tensor, false),
        };
    }
}
