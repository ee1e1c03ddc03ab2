using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>
/// Follows the batch axis through a graph whose batch was fixed, and rewrites what bakes it: the target shapes of Reshape and Expand, and
/// constants (a class token) that are concatenated to a batch. Shapes are those of a run with the fixed batch.
/// </summary>
internal sealed class BatchAxes
{
    private readonly ModelProto _model;
    private readonly GraphWriter _graph;
    private readonly GraphIndex _index;
    private readonly IReadOnlyDictionary<string, ProbedTensor> _shapes;
    private readonly int _batch;
    private readonly Dictionary<string, Place> _axes = new(StringComparer.Ordinal);

    private BatchAxes(ModelProto model, GraphIndex index, IReadOnlyDictionary<string, ProbedTensor> shapes, int batch) =>
        (_model, _graph, _index, _shapes, _batch) = (model, new(model), index, shapes, batch);

    /// <summary>Edits <paramref name="model"/> in place.</summary>
    /// <param name="shapes">Of all tensors that depend on the image.</param>
    /// <returns>Null, or the layer at which the batch is lost; the model is then of no use.</returns>
    public static string? Free(ModelProto model, GraphIndex index, IReadOnlyDictionary<string, ProbedTensor> shapes, BackboneInput input) =>
        new BatchAxes(model, index, shapes, input.Batch ?? 1).Run(input);

    private string? Run(BackboneInput input)
    {
        // N x C x H x W and N x H x W x C both begin with the batch.
        _axes[input.Name] = new(0, 1);
        // The writer appends; the nodes of before are visited, and new ones are put before their user.
        foreach (var node in _model.Graph.Node.ToList())
        {
            // Shape and Size read no pixels; where a Reshape or Expand takes their numbers, its target is rewritten.
            if (node.OpType is "Shape" or "Size" || !node.Input.Any(_axes.ContainsKey))
                continue;
            var first = _model.Graph.Node.Count;
            if (Follow(node) is not { } place)
                return Lost(node);
            foreach (var output in node.Output.Where(o => o.Length > 0))
            {
                if (place.Axis < 0 || place.Axis >= Shape(output).Length)
                    return Lost(node);
                _axes[output] = place;
            }

            MoveBefore(node, first);
        }

        return null;
    }

    private static string Lost(NodeProto node) =>
        $"the layer '{(node.Name.Length > 0 ? node.Name : node.Output[0])}' ({node.OpType}) mixes it with other axes";

    /// <summary>The batch's place in a node's outputs; null when there is none that is known.</summary>
    private Place? Follow(NodeProto node)
    {
        var data = node.Input.First(_axes.ContainsKey);
        var (place, from, made) = (_axes[data], Shape(data), Shape(node.Output[0]));
        switch (node.OpType)
        {
            case "Reshape":
                return Reshape(node, from, place, made);
            case "Flatten":
                // Flatten makes two axes, of the products before and from its axis on (ONNX: Flatten).
                var split = Normal((int)node.Int("axis", 1), from.Length);
                return Position(from, place, [Product(from[..split]), Product(from[split..])]);
            // Indices that depend on the photo choose rows of a table; no batch axis can be followed there.
            case "Gather" when data != node.Input[0]:
                return null;
            case "Concat":
                return Concat(node, place, Normal((int)node.Int("axis", 0), from.Length), from.Length);
            case "MatMul":
                return MatMul(node, made.Length);
        }

        var axis = node.OpType switch
        {
            // Without perm Transpose reverses the axes.
            "Transpose" => node.Ints("perm") is { } perm ? Array.IndexOf(perm, (long)place.Axis) : from.Length - 1 - place.Axis,
            "Unsqueeze" => Unsqueezed(node, place.Axis, made.Length),
            "Squeeze" => Removed(Axes(node, from.Length), place.Axis),
            // Expand aligns shapes at the right, so that new axes come in front.
            "Expand" => Expand(node, place.Axis + made.Length - from.Length),
            "Gather" => Gathered(Normal((int)node.Int("axis", 0), from.Length), place.Axis, made.Length - from.Length),
            // Gemm is two-dimensional, and its rows are photos unless they are transposed.
            "Gemm" => data == node.Input[0] && place.Axis == 0 && node.Int("transA", 0) == 0 ? 0 : -1,
            var op when op.StartsWith("Reduce", StringComparison.Ordinal) => Reduced(node, place.Axis, from.Length),
            _ => Elementwise(node, made),
        };
        return axis < 0 ? null : place with { Axis = axis };
    }

    private Place? Reshape(NodeProto node, long[] from, Place place, long[] made)
    {
        if (Position(from, place, made) is not { } position)
            return null;
        // All sizes but the batch are known, also where the target mixes constants with parts of a shape.
        // -1 lets ONNX Runtime derive the batch; one such axis is allowed, and this is the only unknown.
        long[] target = [.. made];
        target[position.Axis] = -1;
        node.Input[1] = _graph.Constant("free_shape", target, target.Length);
        return position;
    }

    /// <summary>
    /// Where the batch is after a reshape: the elements before it stay as many. A batch of 1 fits several places; PyTorch's habits decide.
    /// </summary>
    private Place? Position(long[] from, Place place, long[] to)
    {
        var before = Product(from[..place.Axis]) * place.Outer;
        var candidates = new List<Place>();
        for (var i = 0; i < to.Length; i++)
        {
            var leading = Product(to[..i]);
            // The axis must hold what is left of the elements before the batch, then the batch, then any number of entries.
            if (leading > 0 && before % leading == 0 && to[i] % (before / leading * _batch) == 0)
                candidates.Add(new(i, before / leading));
        }

        var own = candidates.Where(c => c.Outer == 1).ToList();
        // An axis of the batch alone; else the axes before it unchanged (heads taken out of channels); else merged to the left, as in
        // torch.nn.MultiheadAttention's view(length * batch, channels).
        return own.Where(c => to[c.Axis] == _batch).Cast<Place?>().FirstOrDefault()
            ?? (
                to.Length >= from.Length
                    ? own.Where(c => from[..place.Axis].SequenceEqual(to[..c.Axis])).Cast<Place?>().FirstOrDefault()
                    : null
            )
            ?? candidates.OrderByDescending(c => c.Outer).Cast<Place?>().FirstOrDefault();
    }

    private static int Gathered(int along, int axis, int grown) =>
        along == axis ? -1
        : axis < along ? axis
        : axis + grown;

    private int Unsqueezed(NodeProto node, int axis, int rank) =>
        Axes(node, rank) is { } added ? Enumerable.Range(0, rank).Where(a => !added.Contains(a)).ElementAt(axis) : -1;

    private static int Removed(int[]? axes, int axis) => axes is null || axes.Contains(axis) ? -1 : axis - axes.Count(a => a < axis);

    private int Reduced(NodeProto node, int axis, int rank)
    {
        var axes = Axes(node, rank);
        return node.Int("keepdims", 1) == 0 ? Removed(axes, axis)
            : axes is null || axes.Contains(axis) ? -1
            : axis;
    }

    private int Expand(NodeProto node, int axis)
    {
        long[] target = [.. Shape(node.Output[0])];
        target[axis] = 1; // as it is: the batch
        node.Input[1] = _graph.Constant("free_shape", target, target.Length);
        return axis;
    }

    private Place? Concat(NodeProto node, Place place, int along, int rank)
    {
        if (along == place.Axis || node.Input.Any(i => _axes.TryGetValue(i, out var other) && other != place))
            return null;
        var batched = node.Input.First(_axes.ContainsKey);
        // What is joined along another axis must be as long as the batch; a class token is stored once per photo of the fixed batch.
        for (var i = 0; i < node.Input.Count; i++)
        {
            if (!_axes.ContainsKey(node.Input[i]))
                node.Input[i] = Repeat(node.Input[i], place.Axis, rank, batched);
        }

        return place;
    }

    /// <summary>A constant that holds one entry per photo, made as long as the batch of <paramref name="like"/>.</summary>
    private string Repeat(string constant, int axis, int rank, string like)
    {
        // A class token is the same for every photo: its first entry stands for all. BatchDoctor's trial refuses what is not so.
        var one = _graph.Node("Gather", [constant, _graph.Constant("first", [0L], 1)], ("axis", (long)axis));
        var count = _graph.Node("Gather", [_graph.Node("Shape", [like]), _graph.Constant("batch_axis", [(long)axis], 1)], ("axis", 0L));
        var target = new List<string>();
        if (axis > 0)
            target.Add(Ones(axis));
        target.Add(count);
        if (axis < rank - 1)
            target.Add(Ones(rank - 1 - axis));
        return _graph.Node("Expand", [one, target.Count == 1 ? count : _graph.Node("Concat", [.. target], ("axis", 0L))]);

        string Ones(int length) => _graph.Constant("ones", [.. Enumerable.Repeat(1L, length)], length);
    }

    private Place? MatMul(NodeProto node, int rank)
    {
        Place? common = null;
        for (var i = 0; i < 2; i++)
        {
            if (!_axes.TryGetValue(node.Input[i], out var place))
                continue;
            var own = Shape(node.Input[i]).Length;
            // The summed axis is the left operand's last and the right operand's last but one; the right's last axis stays last.
            if (place.Axis == (i == 0 ? own - 1 : own - 2))
                return null;
            var moved = place with { Axis = place.Axis + rank - own };
            if (common is not null && common != moved)
                return null;
            common = moved;
        }

        return common;
    }

    /// <summary>
    /// Operators that leave the axes where they are, operands aligned at the right as in numpy; also pooling, convolution, normalization.
    /// </summary>
    private int Elementwise(NodeProto node, long[] made)
    {
        var common = -1;
        foreach (var name in node.Input.Where(_axes.ContainsKey))
        {
            var shape = Shape(name);
            var moved = _axes[name].Axis + made.Length - shape.Length;
            // The result holds whole entries of the operand on that axis, and all operands have the batch on the same one.
            if (moved < 0 || made[moved] % shape[_axes[name].Axis] != 0 || (common >= 0 && common != moved))
                return -1;
            common = moved;
        }

        return common;
    }

    private int[]? Axes(NodeProto node, int rank)
    {
        var axes = node.Ints("axes");
        // Axes are an attribute up to opset 12 or 17, and an input after that.
        if (axes is null && node.Input.Count > 1 && _index.Constant(node.Input[1]) is { } constant)
            axes = TensorData.Int64s(constant);
        return axes is null || axes.Length == 0 ? null : [.. axes.Select(a => Normal((int)a, rank))];
    }

    private void MoveBefore(NodeProto node, int first)
    {
        var nodes = _model.Graph.Node;
        var added = nodes.Skip(first).ToList();
        if (added.Count == 0)
            return;
        // From the end, so that no other node moves.
        while (nodes.Count > first)
            nodes.RemoveAt(nodes.Count - 1);
        var position = nodes.IndexOf(node);
        foreach (var newNode in added)
            nodes.Insert(position++, newNode);
    }

    private long[] Shape(string tensor) => _shapes.TryGetValue(tensor, out var seen) ? seen.Shape : [];

    private static int Normal(int axis, int rank) => axis < 0 ? axis + rank : axis;

    private static long Product(long[] dims) => dims.Aggregate(1L, (product, d) => product * d);

    /// <summary>Where the batch is: the axis holds Outer x batch x any number of entries, in this order.</summary>
    private readonly record struct Place(int Axis, long Outer);
}
