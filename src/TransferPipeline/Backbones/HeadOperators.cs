using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>What lies between an output and the layer that a walk back from it met.</summary>
/// <param name="Pooled">An average over positions.</param>
/// <param name="Activated">A Relu or Clip.</param>
/// <param name="Softmax">Probabilities are made.</param>
/// <param name="Normalized">The vector is scaled to length 1.</param>
/// <param name="Normed">A BatchNormalization.</param>
/// <param name="Biased">A constant is added.</param>
/// <param name="KeepsCount">The output still has one value per class.</param>
internal sealed record HeadState(
    bool Pooled = false,
    bool Activated = false,
    bool Softmax = false,
    bool Normalized = false,
    bool Tanh = false,
    bool Normed = false,
    bool Biased = false,
    bool KeepsCount = true
);

/// <summary>The operators that may follow a classifier, each with the tensor that a walk back goes on at.</summary>
internal static class HeadOperators
{
    /// <returns>Null when the operator follows no classifier, or takes several tensors that depend on the image.</returns>
    public static (string Tensor, HeadState Passed)? Pass(GraphIndex index, NodeProto node, HeadState passed)
    {
        if (node.Domain == "ai.onnx.ml")
            // Postprocessing of classical models: labels, scores, normalizers. Their outputs are no longer one value per class.
            return Only(index, node) is { } learned
                ? (
                    learned,
                    passed with
                    {
                        KeepsCount = false,
                        Normalized = passed.Normalized || node.OpType == "Normalizer" && node.Attribute("norm")?.S.ToStringUtf8() == "L2",
                    }
                )
                : null;
        if (node.Domain is not ("" or "ai.onnx" or "com.microsoft"))
            // An operator that is unknown here may do anything with scores; only its one source is followed.
            return Only(index, node) is { } custom ? (custom, passed with { KeepsCount = false }) : null;
        var data = node.Input.Count > 0 ? node.Input[0] : "";
        switch (node.OpType)
        {
            case "Softmax" or "LogSoftmax" or "Hardmax" or "QLinearSoftmax" or "BiasSoftmax":
                return (data, passed with { Softmax = true });
            case "Identity"
            or "Flatten"
            or "Squeeze"
            or "Unsqueeze"
            or "Reshape"
            or "Dropout"
            or "Cast"
            or "CastLike"
            or "Transpose"
            or "Slice"
            or "Sigmoid":
            case "QuantizeLinear" or "DequantizeLinear" or "QLinearSigmoid" or "HardSigmoid" or "Neg" or "Log" or "Exp" or "Round":
                return (data, passed);
            case "ArgMax" or "ArgMin" or "TopK" or "Split" or "OneHot" or "Not" or "NonZero":
                return (data, passed with { KeepsCount = false });
            // The score of the best class, and evidence as networks of uncertain classes make it; elsewhere these are a pooling and an
            // activation inside the network.
            case "ReduceMax" when index.Producer(data) is { OpType: "Softmax" or "Sigmoid" }:
                return (data, passed with { KeepsCount = false });
            case "Softplus" when index.Producer(data) is { OpType: "Gemm" or "Add" }:
                return (data, passed);
            case "Tanh":
                return (data, passed with { Tanh = true });
            case "LpNormalization" when node.Int("p", 2) == 2:
                return (data, passed with { Normalized = true });
            // A batch normalization in front of a pooling or an activation belongs to the backbone.
            case "BatchNormalization" when !passed.Pooled && !passed.Activated:
                return (data, passed with { Normed = true });
            case "GlobalAveragePool" or "AveragePool" or "ReduceMean" or "QLinearGlobalAveragePool" or "QLinearAveragePool":
                return (data, passed with { Pooled = true });
            case "Relu" or "Clip" when !passed.Activated:
                return (data, passed with { Activated = true }); // SqueezeNet: Conv, Relu, average
            case "Add" or "Sub" or "Mul" or "Div" or "Sum" or "QLinearAdd" or "QLinearMul" or "Pow" or "Max" or "Min":
                return Arithmetic(index, node, passed);
            case "Greater"
            or "GreaterOrEqual"
            or "Less"
            or "LessOrEqual"
            or "Equal"
            or "Gather"
            or "GatherElements"
            or "GatherND"
            or "Where":
                // A Gather from constants by the scores looks up labels. One from the scores themselves may choose a class token.
                return node.OpType == "Gather" && index.Depends(data) ? null
                    : Only(index, node) is { } only ? (only, passed with { KeepsCount = false })
                    : null;
            case "If":
                return Only(index, node) is { } outer ? (outer, passed) : null;
            case "Optional" or "OptionalGetElement" or "SequenceConstruct" or "SequenceAt" or "SplitToSequence" or "ConcatFromSequence":
            // A loop without layers only rearranges scores.
            case "Loop" or "Scan" when !GraphIndex.Inner(node).Any(n => n.OpType is "Gemm" or "MatMul" or "Conv"):
                return Only(index, node) is { } looped ? (looped, passed with { KeepsCount = false }) : null;
            default:
                return null;
        }
    }

    /// <summary>The activation that ONNX Runtime's optimizer has joined with a layer, as if it followed the layer.</summary>
    /// <returns>Null when it follows no classifier.</returns>
    public static HeadState? PassActivation(NodeProto layer, HeadState passed) =>
        (layer.Attribute("activation")?.S.ToStringUtf8() ?? "") switch
        {
            "" or "Sigmoid" or "HardSigmoid" => passed,
            "Tanh" => passed with { Tanh = true },
            "Relu" or "Clip" when !passed.Activated => passed with { Activated = true },
            _ => null,
        };

    /// <summary>
    /// The tensors that a node puts together, as averaged, joined or otherwise combined heads are; null for other operators.
    /// </summary>
    public static IReadOnlyList<string>? Branches(GraphIndex index, NodeProto node, HeadState passed)
    {
        if (node.OpType is not ("Add" or "Sum" or "Mean" or "Max" or "Min" or "Concat" or "Where"))
            return null;
        var dependent = node.Input.Where(index.Depends).Distinct().ToList();
        // In front of a pooling or an activation a sum is a residual connection inside the backbone, but heads that are averaged may be
        // stacked: each on a new axis, over which the mean is.
        var isStack = node.OpType == "Concat" && dependent.TrueForAll(d => index.Producer(d)?.OpType == "Unsqueeze");
        if (passed.Activated || passed.Pooled && !isStack)
            return null;
        return dependent.Count > 0 ? dependent : null;
    }

    private static (string, HeadState)? Arithmetic(GraphIndex index, NodeProto node, HeadState passed)
    {
        var dependent = node.Input.Where(index.Depends).Distinct().ToList();
        if (dependent.Count == 1)
            return (dependent[0], passed with { Biased = passed.Biased || node.OpType is "Add" or "Sum" or "Sub" or "QLinearAdd" });
        // The integer product of MatMulInteger's dequantization, whose scale depends on the image too.
        if (dependent.FirstOrDefault(d => IsIntegerProduct(index, d)) is { } product)
            return (product, passed);
        if (dependent.Count != 2 || node.OpType is not ("Sub" or "Div" or "Mul"))
            return null;
        var (value, by) = (node.Input[0], node.Input[1]);
        // A product commutes: the reduction may be the first operand.
        if (node.OpType == "Mul" && Reduction.Of(index, by, value) is null)
            (value, by) = (by, value);
        return (node.OpType, Reduction.Of(index, by, value)) switch
        {
            // exp(x - max) / sum(exp(x - max)), and x - log(sum(exp(x))).
            ("Sub", "ReduceMax" or "ReduceLogSumExp" or "ReduceSum") => (value, passed),
            ("Div" or "Mul", "ReduceSum" or "ReduceL1") => (value, passed with { Softmax = true }),
            ("Div" or "Mul", "ReduceL2") => (value, passed with { Normalized = true }),
            _ => null,
        };
    }

    private static bool IsIntegerProduct(GraphIndex index, string tensor)
    {
        var node = index.Producer(tensor);
        if (node is { OpType: "Cast" })
            node = index.Producer(node.Input[0]);
        return node is { OpType: "MatMulInteger" or "ConvInteger" };
    }

    /// <summary>The one tensor that depends on the image among a node's inputs, those of its subgraphs included.</summary>
    private static string? Only(GraphIndex index, NodeProto node) =>
        GraphIndex.Inputs(node).Where(index.Depends).Distinct().Take(2).ToList() is [var only] ? only : null;
}
