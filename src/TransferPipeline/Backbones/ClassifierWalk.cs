using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>The layer that classifies and what it classifies.</summary>
/// <param name="Layer">The last layer with weights: Gemm, MatMul, a 1x1 Conv, or a quantized form of one.</param>
/// <param name="Feature">Its input in float: the tensor of the penultimate cut.</param>
/// <param name="Quantized">Scale and zero point when <paramref name="Feature"/> exists only in 8 bits.</param>
/// <param name="Output">The graph output that it makes.</param>
/// <param name="Averaged">A Conv before the pooling (SqueezeNet): its feature is a map, and the vector is that map's average.</param>
internal sealed record ClassifierLayer(
    NodeProto Layer, string Feature, (string Scale, string ZeroPoint)? Quantized, string Output, bool Averaged, int Classes);

/// <summary>Finds the classifier of a graph by walking back from its outputs to the last layer with weights.</summary>
internal static class ClassifierWalk
{
    /// <summary>ImageNet's numbers of classes: 1k with and without a background class, 21k and its pruned form, 22k.</summary>
    private static readonly int[] ImageNetClasses = [1000, 1001, 21841, 21843, 11221, 21842];

    /// <returns>The classifier of the output that lies deepest (auxiliary classifiers branch off earlier), or null.</returns>
    public static ClassifierLayer? Find(GraphIndex index) =>
        index.Graph.Output
            .Where(o => index.Depends(o.Name))
            .Select(o => FromOutput(index, o))
            .OfType<ClassifierLayer>()
            .MaxBy(c => index.Depth(c.Layer.Output[0]));

    private static ClassifierLayer? FromOutput(GraphIndex index, ValueInfoProto output)
    {
        var (tensor, pooled, activated, softmax) = (output.Name, false, false, false);
        while (index.Producer(tensor) is { } node)
        {
            switch (node.OpType)
            {
                case "Softmax" or "LogSoftmax":
                    softmax = true;
                    tensor = node.Input[0];
                    break;
                case "Identity" or "Flatten" or "Squeeze" or "Unsqueeze" or "Reshape" or "Dropout" or "Cast" or "Transpose" or "Slice" or "ArgMax" or "Sigmoid":
                case "QuantizeLinear" or "DequantizeLinear" or "QLinearSoftmax" or "QLinearSigmoid":
                    tensor = node.Input[0];
                    break;
                case "GlobalAveragePool" or "AveragePool" or "ReduceMean" or "QLinearGlobalAveragePool" or "QLinearAveragePool":
                    pooled = true;
                    tensor = node.Input[0];
                    break;
                case "Relu" or "Clip" when pooled && !activated:
                    activated = true; // SqueezeNet: Conv, Relu, average
                    tensor = node.Input[0];
                    break;
                case "Add" or "Sub" or "Mul" or "Div" or "Sum" or "QLinearAdd" when Operand(index, node) is { } operand:
                    tensor = operand;
                    break;
                default:
                    return Layer(index, node, output, pooled, activated, softmax);
            }
        }

        return null;
    }

    /// <summary>The one operand that depends on the image (the others are bias or scale), or the integer product of MatMulInteger's dequantization.</summary>
    private static string? Operand(GraphIndex index, NodeProto node)
    {
        var dependent = node.Input.Where(index.Depends).ToList();
        return dependent.Count == 1 ? dependent[0] : dependent.FirstOrDefault(d => IsIntegerProduct(index, d));
    }

    private static bool IsIntegerProduct(GraphIndex index, string tensor)
    {
        var node = index.Producer(tensor);
        if (node is { OpType: "Cast" })
            node = index.Producer(node.Input[0]);
        return node is { OpType: "MatMulInteger" or "ConvInteger" };
    }

    private static ClassifierLayer? Layer(GraphIndex index, NodeProto node, ValueInfoProto output, bool pooled, bool activated, bool softmax)
    {
        // Where the layer keeps data, weights, and (quantized ones) the data's scale and zero point.
        var (data, weights, scale, zeroPoint) = node.OpType switch
        {
            "Gemm" or "MatMul" or "Conv" or "FusedGemm" or "FusedMatMul" or "FusedConv" => (0, 1, -1, -1),
            "MatMulInteger" or "ConvInteger" => (0, 1, -1, 2),
            "QLinearMatMul" or "QLinearConv" or "QGemm" => (0, 3, 1, 2),
            _ => (-1, -1, -1, -1),
        };
        if (data < 0 || node.Input.Count <= weights || !index.Depends(node.Input[data]) || index.Depends(node.Input[weights]))
            return null;
        var shape = ConstantShape(index, node.Input[weights]);
        var isConv = node.OpType.Contains("Conv", StringComparison.Ordinal);
        if (isConv && (shape is not { Length: 4 } || shape[2] != 1 || shape[3] != 1 || node.Int("group", 1) != 1))
            return null;
        var classes = shape switch
        {
            null => 0,
            { Length: 4 } => (int)shape[0],
            { Length: 2 } => (int)(node.Int("transB", 0) != 0 ? shape[0] : shape[1]),
            _ => (int)shape[^1],
        };
        // A network without a classifier often ends in Conv, Clip, average; only a class count tells it from SqueezeNet.
        if (activated && !softmax && !ImageNetClasses.Contains(classes))
            return null;
        if (output.Type?.TensorType?.Shape?.Dim is { Count: > 1 } dims && dims[^1].DimValue > 1)
            classes = (int)dims[^1].DimValue;
        var (feature, inEightBits) = FloatSource(index, node.Input[data]);
        var quantized = !inEightBits || scale < 0 ? ((string, string)?)null : (node.Input[scale], node.Input[zeroPoint]);
        return new(node, feature, quantized, output.Name, isConv && pooled, classes);
    }

    /// <summary>The float tensor that was quantized to make <paramref name="tensor"/>; itself when it is float or has no float form.</summary>
    private static (string Tensor, bool InEightBits) FloatSource(GraphIndex index, string tensor)
    {
        if (index.Producer(tensor) is { OpType: "DequantizeLinear" } dequantize
            && index.Producer(dequantize.Input[0]) is { OpType: "QuantizeLinear" } quantize)
            return (quantize.Input[0], false);
        return index.Producer(tensor) switch
        {
            { OpType: "QuantizeLinear" or "DynamicQuantizeLinear" } node => (node.Input[0], false),
            { OpType: { } op } => (tensor, op.StartsWith("QLinear", StringComparison.Ordinal) || op is "QGemm" or "Flatten" or "Reshape" or "Squeeze"),
            null => (tensor, false),
        };
    }

    /// <summary>Shape of constant weights, seen through what exporters put between them and their layer.</summary>
    public static long[]? ConstantShape(GraphIndex index, string tensor)
    {
        if (index.Constant(tensor) is { } constant)
            return [.. constant.Dims];
        if (index.Producer(tensor) is not { } node)
            return null;
        switch (node.OpType)
        {
            case "DequantizeLinear" or "QuantizeLinear" or "Cast" or "Identity":
                return ConstantShape(index, node.Input[0]);
            case "Transpose" when ConstantShape(index, node.Input[0]) is { } shape:
                return node.Ints("perm") is { } perm ? [.. perm.Select(p => shape[p])] : [.. shape.Reverse()];
            default:
                return null;
        }
    }
}
