using TransferPipeline.Backbones;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tuning;

/// <summary>
/// Shape arithmetic above a cut on tensors below it, as exporters write it (the shape of the image gives Reshape its batch). Such a shape
/// is written anew from the number of photos at the cut and the other sizes, which are fixed.
/// </summary>
internal static class PassingShapes
{
    /// <param name="index">Of the graph before it was divided.</param>
    /// <param name="cut">The divided graph's input, whose first axis is the batch.</param>
    /// <param name="below">The graph before it was divided.</param>
    public static void Replace(string file, ModelProto model, GraphIndex index, string cut, CutModel below)
    {
        // Shapes of the cut itself stay: they are known above it.
        var above = new GraphIndex(model.Graph, cut);
        List<NodeProto> passing =
        [
            .. model.Graph.Node.Where(n =>
                n.OpType is "Shape" or "Size" && index.Depends(n.Input[0]) && !above.Depends(n.Input[0]) && n.Input[0] != cut
            ),
        ];
        if (passing.Count == 0)
            return;
        var shapes = Probe(below, [.. passing.Select(n => n.Input[0]).Distinct()]);
        var writer = new GraphWriter(model);
        foreach (var node in passing)
        {
            if (node.OpType == "Size" || shapes[node.Input[0]] is not { } shape)
                throw new BadInputException(
                    $"{file}: '{node.Input[0]}' below the cut is asked for its {node.OpType.ToLowerInvariant()} in a way that "
                        + $"does not follow "
                        + "from the number of photos; choose another cut"
                );
            model.Graph.Node.Remove(node);
            Write(writer, node, shape, cut);
        }
    }

    /// <summary>
    /// The sizes for one photo; a size that grows with the photos is negative: -2 means twice their number. Null when neither.
    /// </summary>
    private static Dictionary<string, long[]?> Probe(CutModel below, IReadOnlyCollection<string> tensors)
    {
        var model = below.Model.Clone();
        long[] Input(int n) =>
            below.Layout == Images.TensorLayout.Nchw
                ? [n, 3, below.InputHeight, below.InputWidth]
                : [n, below.InputHeight, below.InputWidth, 3];
        var inside = tensors.Where(t => t != below.InputName).ToList();
        model.Graph.Output.Clear();
        foreach (var tensor in inside)
            model.Graph.Output.Add(new ValueInfoProto { Name = tensor });
        var found = new Dictionary<string, long[]?>(StringComparer.Ordinal);
        if (tensors.Contains(below.InputName))
            found[below.InputName] = [-1, .. Input(1)[1..]];
        if (inside.Count == 0)
            return found;
        using var probe = new Backbones.Probe(model, below.InputName, optimize: false);
        // One and two photos: a size that doubles is the batch, or a multiple of it, and one that stays is fixed.
        var (one, two) = (Run(1), Run(2));
        foreach (var tensor in inside)
            found[tensor] = Compare(one[tensor].Shape, two[tensor].Shape);
        return found;

        Dictionary<string, ProbedTensor> Run(int n) => probe.Run(Backbones.Probe.Pixels(Input(n)), Input(n), values: false);
    }

    private static long[]? Compare(long[] one, long[] two)
    {
        if (one.Length != two.Length)
            return null;
        var sizes = new long[one.Length];
        for (var i = 0; i < sizes.Length; i++)
        {
            if (two[i] != one[i] && two[i] != 2 * one[i])
                return null;
            sizes[i] = two[i] == one[i] ? one[i] : -one[i];
        }

        return sizes;
    }

    private static void Write(GraphWriter writer, NodeProto node, long[] sizes, string cut)
    {
        var (start, end) = (Place(node.Int("start", 0), sizes.Length), Place(node.Int("end", sizes.Length), sizes.Length));
        // The index has an axis of its own, so that Gather keeps one for Concat.
        var count = writer.Node("Gather", [writer.Node("Shape", [cut]), writer.Constant("batch_axis", [0L], 1)], ("axis", 0L));
        var parts = sizes[start..end]
            .Select(size =>
                size >= 0 ? writer.Constant("size", [size], 1)
                : size == -1 ? count
                : writer.Node("Mul", [count, writer.Constant("times", [-size], 1)])
            )
            .ToArray();
        var made = writer.Node("Concat", parts, ("axis", 0L));
        GraphEdit.Redirect(writer.Graph, node.Output[0], made);
    }

    /// <summary>As Shape's attributes count: negative ones from the end, all clipped.</summary>
    private static int Place(long value, int rank) => (int)Math.Clamp(value < 0 ? value + rank : value, 0, rank);
}
