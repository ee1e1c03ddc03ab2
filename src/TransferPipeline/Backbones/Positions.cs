using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>
/// Whether a tensor holds one vector per photo or one for each of several positions, as maps and tokens do. Most networks show it by their
/// operators; the others by a run.
/// </summary>
/// <param name="shapeOf">The shape for one photo; null where the network does not run.</param>
internal sealed class Positions(GraphIndex index, Func<string, long[]?> shapeOf)
{
    private readonly Dictionary<string, bool> _known = new(StringComparer.Ordinal);

    /// <param name="ofConv">Channels are the second axis; elsewhere they are the last one.</param>
    public bool AreSeveral(string tensor, bool ofConv) =>
        !IsVector(tensor) && shapeOf(tensor) is { Length: > 2 } shape && (ofConv ? shape[2..] : shape[1..^1]).Any(d => d > 1);

    /// <summary>False where the operators do not show it.</summary>
    private bool IsVector(string tensor)
    {
        // A tensor without entry is being asked for only once, since the graph has no circle.
        if (!_known.TryGetValue(tensor, out var known))
            _known[tensor] = known = index.Producer(tensor) is { } node && IsVector(node);
        return known;
    }

    private bool IsVector(NodeProto node)
    {
        switch (node.OpType)
        {
            case "GlobalAveragePool" or "GlobalMaxPool" or "GlobalLpPool" or "QLinearGlobalAveragePool":
            case "Flatten" or "Gemm" or "FusedGemm" or "QGemm":
                return true;
            case "ReduceMean" or "ReduceMax" or "ReduceSum" or "ReduceL2":
                var axes = node.Ints("axes") ?? Integers(node);
                // The sides of a map with the channels in front or behind, or the tokens.
                return axes is [2, 3] or [-2, -1] or [-1, -2] or [3, 2] or [1, 2] or [1] or [-2] || Follow(node);
            // A single token.
            case "Gather" when index.Constant(node.Input[1]) is { Dims.Count: 0 }:
                return true;
            case "Reshape":
                return (node.Ints("shape") ?? Integers(node)) is { Length: 2 };
            case "Gather" or "Slice" or "Split" or "ConvTranspose" or "Resize" or "Upsample" or "Expand" or "Tile" or "DepthToSpace":
            case "If" or "Loop" or "Scan" or "AveragePool" or "MaxPool":
                return false;
            default:
                return Follow(node);
        }
    }

    /// <summary>Operators that make no positions: what they make has those of what they take.</summary>
    private bool Follow(NodeProto node) =>
        GraphIndex.Inputs(node).Where(index.Depends).ToList() is { Count: > 0 } inputs && inputs.TrueForAll(IsVector);

    private long[]? Integers(NodeProto node) =>
        node.Input.Count > 1 && index.Constant(node.Input[1]) is { } constant ? TensorData.Int64s(constant) : null;
}
