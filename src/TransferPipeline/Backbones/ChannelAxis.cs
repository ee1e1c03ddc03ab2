using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>
/// On which axis the channels of a map or of tokens are, which its lengths alone do not show: followed back to the layer that made them.
/// </summary>
/// <param name="isSquare">Whether photos are.</param>
/// <param name="shapeOf">The shape of a tensor for one photo; null where the network does not run.</param>
internal sealed class ChannelAxis(GraphIndex index, bool isSquare, Func<string, long[]?> shapeOf)
{
    private readonly Dictionary<string, int?> _known = new(StringComparer.Ordinal);

    /// <summary>As the graph shows it, else as the lengths do.</summary>
    /// <param name="shape">With the batch axis in front.</param>
    /// <param name="batch">Where the tensor itself has that axis.</param>
    /// <returns>Null when neither shows it.</returns>
    public int? Of(string tensor, long[] shape, int batch = 0) =>
        Of(tensor, shape.Length) is { } own ? (own < batch ? own + 1 : own) : ByLengths(shape, isSquare);

    private int? Of(string tensor, int rank)
    {
        // A tensor without entry is being asked for only once, since the graph has no circle.
        if (!_known.TryGetValue(tensor, out var axis))
            _known[tensor] = axis = index.Producer(tensor) is { } node && index.Depends(tensor) ? Of(node, tensor, rank) : null;
        return axis is >= 0 && axis < rank ? axis : null;
    }

    /// <summary>
    /// The axis where the graph does not show it: the third one of tokens, and of a square photo's map the one that differs from two equal
    /// ones.
    /// </summary>
    /// <returns>Null where the lengths do not show it.</returns>
    public static int? ByLengths(ReadOnlySpan<long> shape, bool isSquare) =>
        shape switch
        {
            [_, _, _] => 2,
            [_, var a, var b, var c] when isSquare && b == c && a != b => 1,
            [_, var a, var b, var c] when isSquare && a == b && c != b => 3,
            _ => null,
        };

    /// <summary>N x channels x height x width, or N x tokens x channels.</summary>
    public static long[] Usual(long[] shape, int channels) => [.. UsualOrder(shape.Length, channels).Select(a => shape[a])];

    /// <summary>The axes in the usual order, of which the others keep theirs.</summary>
    public static long[] UsualOrder(int rank, int channels)
    {
        List<long> order = [.. Enumerable.Range(0, rank).Where(a => a != channels).Select(a => (long)a)];
        order.Insert(rank == 4 ? 1 : rank - 1, channels);
        return [.. order];
    }

    private int? Of(NodeProto node, string tensor, int rank)
    {
        // Of ONNX Runtime's own operators.
        if (node.Int("channels_last", 0) != 0)
            return rank - 1;
        switch (node.OpType)
        {
            case "Conv" or "FusedConv" or "ConvTranspose" or "ConvInteger" or "QLinearConv":
            case "MaxPool" or "AveragePool" or "GlobalAveragePool" or "GlobalMaxPool" or "QLinearAveragePool":
            case "BatchNormalization" or "InstanceNormalization" or "LRN" or "DepthToSpace" or "SpaceToDepth":
                return 1;
            case "LayerNormalization"
            or "SimplifiedLayerNormalization" when node.Int("axis", -1) is var axis && (axis == -1 || axis == rank - 1):
            case "Gemm" or "FusedGemm" or "QGemm":
            case "SkipLayerNormalization" or "SkipSimplifiedLayerNormalization" or "Attention" or "MultiHeadAttention":
                return rank - 1;
            // Weights on the left mix the tokens of each channel; the product of two tensors has the channels of the second one.
            case "MatMul" or "FusedMatMul" or "MatMulInteger" or "MatMulNBits" or "DynamicQuantizeMatMul" or "QLinearMatMul":
                return node.OpType == "QLinearMatMul" || !index.Depends(node.Input[1]) ? rank - 1 : Of(node.Input[1], rank);
            case "Transpose":
                var perm = node.Ints("perm") ?? [.. Enumerable.Range(0, rank).Reverse().Select(a => (long)a)];
                return Of(node.Input[0], rank) is { } source && Array.IndexOf(perm, (long)source) is >= 0 and var moved ? moved : null;
            case "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze":
                return Reshaped(node.Input[0], tensor);
            case "Add" or "Sub" or "Mul" or "Div" or "Sum" or "Max" or "Min" or "Concat" or "Where" or "QLinearAdd" or "QLinearMul":
                return Joined(node, rank);
            case "ReduceMean" or "ReduceMax" or "ReduceSum" when node.Int("keepdims", 1) == 0:
            case "Gather" or "Einsum" or "Expand" or "Tile" or "If" or "Loop" or "Scan" or "MatMulIntegerToFloat":
                return null;
            default:
                // Activations, crops, paddings, casts: one input that depends on the photo, of the same axes.
                return GraphIndex.Inputs(node).Where(index.Depends).Distinct().ToList() is [var only] ? Of(only, rank) : null;
        }
    }

    /// <summary>What the inputs agree on; numbers of one axis, such as a bias, are one per channel.</summary>
    private int? Joined(NodeProto node, int rank)
    {
        int? found = null;
        foreach (var input in node.Input.Where(i => i.Length > 0))
        {
            var axis = index.Depends(input) ? Of(input, rank) : PerChannel(input, rank);
            if (axis is not null && found is not null && axis != found)
                return null;
            found ??= axis;
        }

        return found;
    }

    /// <summary>The one axis of stored numbers along which they differ, counted from the end as a broadcast does.</summary>
    private int? PerChannel(string constant, int rank)
    {
        if (ConstantShape.Of(index, constant) is not { } shape)
            return null;
        var axes = Enumerable.Range(0, shape.Length).Where(a => shape[a] > 1).ToList();
        return axes is [var axis] ? axis + rank - shape.Length : null;
    }

    /// <summary>The axis stays one axis where it has its length behind as many values as before.</summary>
    private int? Reshaped(string input, string output)
    {
        if (shapeOf(input) is not { } from || shapeOf(output) is not { } to || Of(input, from.Length) is not { } axis)
            return null;
        var before = Product(from.AsSpan(0, axis));
        for (var a = 0; a < to.Length; a++)
        {
            if (to[a] == from[axis] && Product(to.AsSpan(0, a)) == before)
                return a;
        }

        return null;
    }

    private static long Product(ReadOnlySpan<long> lengths)
    {
        var product = 1L;
        foreach (var length in lengths)
            product *= length;
        return product;
    }
}
