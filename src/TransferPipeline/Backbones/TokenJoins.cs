using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>A run of tokens that was joined with others.</summary>
internal readonly record struct TokenPart(long Length, bool IsPatches);

/// <summary>
/// Of what a sequence of tokens is made: the nodes on its way that join sequences, and those that pick a range of one.
/// </summary>
internal sealed class TokenJoins
{
    private readonly GraphIndex _index;
    private readonly IReadOnlyList<Step> _steps;

    private TokenJoins(GraphIndex index, IReadOnlyList<Step> steps) => (_index, _steps) = (index, steps);

    /// <param name="tensor">The sequence; only nodes that it is computed by count.</param>
    /// <exception cref="BadInputException">ONNX Runtime cannot run the model.</exception>
    public static TokenJoins Find(string file, ModelProto model, GraphIndex index, BackboneInput input, string tensor)
    {
        var nodes = index
            .Ancestors(tensor)
            .Where(n => n.OpType is "Slice" or "Split" or "Gather" || n.OpType == "Concat" && n.Input.Count > 1)
            .Where(n => index.Depends(n.Output[0]))
            .ToList();
        string[] computed =
        [
            .. nodes
                .SelectMany(n => (n.OpType == "Concat" ? n.Input : n.Input.Take(1)).Concat(n.Output))
                .Distinct()
                .Where(t => t.Length > 0 && index.Constant(t) is null),
        ];
        var shapes = computed.Length == 0 ? [] : ShapeProbe.Run(file, model, index, input, computed);
        // Nearest to the feature first.
        return new(index, [.. nodes.SelectMany(Read).OrderByDescending(s => index.Depth(s.Output))]);

        // Tokens x values of each photo; maps are joined along their channels, or are shifted.
        IEnumerable<Step> Read(NodeProto node) =>
            shapes[node.Output[0]].Shape.Length != 3 ? []
            : node.OpType == "Concat" ? [Joined(node)]
            : Picked(node);

        Step Joined(NodeProto node)
        {
            var axis = Axis(node, node.Int("axis", 0));
            return new(node.Output[0], [.. node.Input.Select(i => (i, Length(i, axis)))], 0, Length(node.Output[0], axis));
        }

        IEnumerable<Step> Picked(NodeProto node)
        {
            var (axis, start) = node.OpType switch
            {
                "Split" => (Axis(node, node.Int("axis", 0)), 0L),
                "Gather" => (Axis(node, node.Int("axis", 0)), First(Values(node, 1, ""))),
                _ => Sliced(node),
            };
            // A range that the graph computes, and one with gaps or of several axes, is not followed.
            if (start is null)
                yield break;
            var all = Length(node.Input[0], axis);
            var next = start.Value < 0 ? Math.Max(0, start.Value + all) : start.Value;
            foreach (var output in node.Output.Where(o => o.Length > 0))
            {
                yield return new(output, [(node.Input[0], all)], next, Length(output, axis));
                next += Length(output, axis);
            }
        }

        (int Axis, long? Start) Sliced(NodeProto node)
        {
            var starts = Values(node, 1, "starts");
            var axes = Values(node, 3, "axes") ?? (starts is [_] ? [0] : null);
            var steps = Values(node, 4, "steps") ?? [1];
            return (starts, axes, steps) is ([var start], [var axis], [1]) ? (Axis(node, axis), start) : (0, null);
        }

        long[]? Values(NodeProto node, int at, string attribute) =>
            node.Input.Count <= at || node.Input[at].Length == 0 ? node.Ints(attribute)
            // Of one axis: a single index would drop the axis that it picks from.
            : index.Constant(node.Input[at]) is { Dims.Count: 1 } constant ? TensorData.Int64s(constant)
            : [];

        int Axis(NodeProto node, long axis) => (int)(axis < 0 ? axis + shapes[node.Output[0]].Shape.Length : axis);

        long Length(string name, int axis) => index.Constant(name) is { } constant ? constant.Dims[axis] : shapes[name].Shape[axis];
    }

    /// <summary>The first of places that follow each other; null for all others.</summary>
    private static long? First(long[]? places) =>
        places is { Length: > 0 } && places.Index().All(p => p.Item == places[0] + p.Index) ? places[0] : null;

    /// <summary>The parts of a sequence in their order, at most one of them the patches.</summary>
    /// <returns>Null when it is not clear which part the patches are.</returns>
    public List<TokenPart>? Parts(string tensor, long tokens)
    {
        var nodes = _index.Ancestors(tensor);
        var step = _steps.FirstOrDefault(s => s.Length == tokens && nodes.Contains(_index.Producer(s.Output)!));
        return step is null ? [new(tokens, true)]
            : step.Inputs is [var (only, length)] ? Range(Parts(only, length), step.Start, tokens)
            : Join(step);
    }

    private List<TokenPart>? Join(Step join)
    {
        // 1. Tokens of the photo alone, such as those of several maps, or shifted ones: all are patches, unless one is a mean of them all.
        var inputs = join.Inputs;
        if (!inputs.Any(i => HasLearned(i.Tensor)) && (inputs.All(i => i.Length > 1) || inputs.All(i => IsPicked(i.Tensor))))
            return [new(join.Length, true)];
        // 2. The longest part has the patches; it may have been joined itself.
        var longest = inputs.IndexOf(inputs.MaxBy(i => i.Length));
        if (!_index.Depends(inputs[longest].Tensor) || Parts(inputs[longest].Tensor, inputs[longest].Length) is not { } inner)
            return null;
        // 3. Beside it are learned tokens, and single ones, such as a class token that has passed through blocks.
        return inputs.Where((_, i) => i != longest).All(i => !_index.Depends(i.Tensor) || i.Length == 1)
            ? [.. Others(inputs[..longest]), .. inner, .. Others(inputs[(longest + 1)..])]
            : null;

        static IEnumerable<TokenPart> Others(List<(string Tensor, long Length)> parts) => parts.Select(p => new TokenPart(p.Length, false));
    }

    /// <summary>What a range holds of each part.</summary>
    private static List<TokenPart>? Range(List<TokenPart>? parts, long start, long count)
    {
        if (parts is null)
            return null;
        var (ranges, first) = (new List<TokenPart>(), 0L);
        foreach (var part in parts)
        {
            var (from, to) = (Math.Max(first, start), Math.Min(first + part.Length, start + count));
            if (from < to)
                ranges.Add(part with { Length = to - from });
            first += part.Length;
        }

        return ranges;
    }

    private bool IsPicked(string tensor) => _steps.Any(s => s.Output == tensor && s.Inputs.Count == 1);

    /// <summary>True for learned tokens, and for those that learned ones were joined with.</summary>
    private bool HasLearned(string tensor)
    {
        if (!_index.Depends(tensor))
            return true;
        var nodes = _index.Ancestors(tensor);
        return _steps.Any(s => s.Inputs.Exists(i => !_index.Depends(i.Tensor)) && nodes.Contains(_index.Producer(s.Output)!));
    }

    /// <summary>One input and a range of it, or several that are joined.</summary>
    /// <param name="Start">The first token of the range.</param>
    /// <param name="Length">Of the output, along the axis of the node.</param>
    private sealed record Step(string Output, List<(string Tensor, long Length)> Inputs, long Start, long Length);
}
