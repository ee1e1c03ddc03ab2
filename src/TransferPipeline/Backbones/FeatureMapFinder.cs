using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>
/// Finds the cut <c>features</c>: the last map (or set of tokens) before pooling, flattening or the choice of a class token. It is the
/// dominator nearest to the penultimate tensor (every way from the image passes through it) that has more than one position.
/// </summary>
internal static class FeatureMapFinder
{
    public static string Find(string file, ModelProto model, GraphIndex index, BackboneInput input, string penultimate)
    {
        var dominators = Dominators(index, penultimate);
        var tensors = ShapeProbe.Run(file, model, index, input, dominators);
        return dominators.FirstOrDefault(d => IsMap(tensors[d])) is { } map
            ? BeforePower(index, dominators, map)
            : throw new UsageException(
                $"{Path.GetFileName(file)}: no map of features before its classifier; use the cut penultimate or name a tensor"
            );
    }

    /// <summary>
    /// Generalized-mean pooling (GeM) raises a map to a power, averages it and takes the root: the power, and the bound that keeps the
    /// values positive for it, are parts of the pooling.
    /// </summary>
    private static string BeforePower(GraphIndex index, IReadOnlyList<string> dominators, string map)
    {
        if (
            index.Producer(map) is not { OpType: "Pow" or "Exp" or "Mul" } power
            || power.OpType == "Mul" && power.Input[0] != power.Input[1]
            || !dominators.TakeWhile(d => d != map).Any(d => index.Producer(d) is { OpType: "Pow" or "Sqrt" or "Log" })
        )
            return map;
        var data = power.Input[0];
        return index.Producer(data) is { OpType: "Clip" or "Max" } bound && bound.Input.Where(index.Depends).ToList() is [var only]
            ? only
            : data;
    }

    /// <summary>
    /// The tensors through which every way from the image to <paramref name="tensor"/> passes, nearest first, itself included.
    /// </summary>
    public static IReadOnlyList<string> Dominators(GraphIndex index, string tensor)
    {
        // Immediate dominators of a graph in topological order: the nearest common ancestor of a tensor's sources (Cooper, Harvey, Kennedy
        // 2001).
        var parents = new Dictionary<string, string?>(StringComparer.Ordinal) { [index.Input] = null };
        var levels = new Dictionary<string, int>(StringComparer.Ordinal) { [index.Input] = 0 };
        foreach (var node in index.Graph.Node)
        {
            string? common = null;
            // Inputs that are constants have no dominator and do not count.
            foreach (var source in GraphIndex.Inputs(node).Where(parents.ContainsKey))
                common = common is null ? source : Common(common, source);
            if (common is null)
                continue;
            foreach (var output in node.Output.Where(index.Depends))
                (parents[output], levels[output]) = (common, levels[common] + 1);
        }

        var chain = new List<string>();
        // From the tensor towards the image: the tree of immediate dominators is followed to its root.
        for (var t = tensor; t is not null && t != index.Input; t = parents[t])
            chain.Add(t);
        return chain;

        string Common(string a, string b)
        {
            while (a != b)
            {
                // Raise the deeper of the two. Both end at the input, which dominates everything.
                if (levels[a] < levels[b])
                    (a, b) = (b, a);
                a = parents[a]!;
            }

            return a;
        }
    }

    // Tokens are N x tokens x values, maps N x C x H x W or N x H x W x C; one position is a vector.
    public static bool IsMap(ProbedTensor tensor) =>
        tensor.Type is TensorElementType.Float or TensorElementType.Float16 or TensorElementType.Double
        && tensor.Shape is { Length: 3 or 4 } shape
        && (
            shape.Length == 3 ? shape[1] > 1 && shape[2] > 1
            : ChannelAxis.ByLengths(shape, isSquare: true) == 3 ? shape[1] * shape[2] > 1 && shape[3] > 1
            : shape[2] * shape[3] > 1 && shape[1] > 1
        );
}
