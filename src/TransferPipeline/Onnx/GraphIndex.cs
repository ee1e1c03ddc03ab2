namespace TransferPipeline.Onnx;

/// <summary>Who makes and who uses each tensor of a graph, and which tensors depend on the image.</summary>
internal sealed class GraphIndex
{
    private readonly Dictionary<string, NodeProto> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorProto> _initializers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _depths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _others = new(StringComparer.Ordinal);

    /// <param name="input">The image input; other tensors depend on it or are constant.</param>
    public GraphIndex(GraphProto graph, string input)
    {
        (Graph, Input) = (graph, input);
        foreach (var initializer in graph.Initializer)
            _initializers[initializer.Name] = initializer;
        _depths[input] = 0;
        // Up to IR version 3 every initializer is listed among the inputs too.
        foreach (var other in graph.Input.Where(i => i.Name != input && !_initializers.ContainsKey(i.Name)))
            _others[other.Name] = other.Name;
        // One pass suffices: OnnxFile has put the nodes into topological order, so all inputs are known before their user.
        foreach (var node in graph.Node)
        {
            // Nearly all networks have one input; the search among a node's inputs is then left out.
            var needed =
                _others.Count == 0 ? null : Inputs(node).Select(i => _others.GetValueOrDefault(i)).FirstOrDefault(o => o is not null);
            // What only reads a shape does not depend on pixels.
            var depth = node.OpType is "Shape" or "Size" ? -1 : Inputs(node).Select(Depth).DefaultIfEmpty(-1).Max();
            foreach (var output in node.Output)
            // An optional output that is not wanted has an empty name.
            {
                if (output.Length == 0)
                    continue;
                _producers.TryAdd(output, node);
                if (needed is not null)
                    _others.TryAdd(output, needed);
                if (depth >= 0)
                    _depths[output] = depth + 1;
            }
        }
    }

    public GraphProto Graph { get; }

    public string Input { get; }

    public NodeProto? Producer(string tensor) => _producers.GetValueOrDefault(tensor);

    public TensorProto? Initializer(string tensor) => _initializers.GetValueOrDefault(tensor);

    /// <summary>True when its values depend on the pixels (shapes do not count).</summary>
    public bool Depends(string tensor) => _depths.ContainsKey(tensor);

    /// <summary>True when it cannot be computed from the image alone, since the graph has other inputs (CLIP's text).</summary>
    public bool NeedsOther(string tensor) => _others.ContainsKey(tensor);

    /// <summary>The other input that a tensor needs, or null.</summary>
    public string? OtherInput(string tensor) => _others.GetValueOrDefault(tensor);

    /// <summary>Number of layers on the longest way from the image, -1 for constants.</summary>
    public int Depth(string tensor) => _depths.GetValueOrDefault(tensor, -1);

    /// <summary>Tensors that depend on the image, in the graph's order.</summary>
    public IEnumerable<string> Tensors => Graph.Node.SelectMany(n => n.Output).Where(Depends);

    /// <summary>The inputs of a node, those that its subgraphs take from outside included.</summary>
    public static IEnumerable<string> Inputs(NodeProto node)
    {
        var names = node.Input.Where(i => i.Length > 0);
        // If, Loop and Scan keep graphs in attributes; these read tensors of the outer graph without listing them as inputs.
        var subgraphs = Subgraphs(node).ToList();
        return subgraphs.Count == 0 ? names : names.Concat(subgraphs.SelectMany(OuterNames)).Distinct();
    }

    /// <summary>The nodes of a graph and of the graphs in their attributes.</summary>
    public static IEnumerable<NodeProto> AllNodes(GraphProto graph) =>
        graph.Node.Concat(graph.Node.SelectMany(Subgraphs).SelectMany(AllNodes));

    /// <summary>The nodes of the graphs in a node's attributes.</summary>
    public static IEnumerable<NodeProto> Inner(NodeProto node) => Subgraphs(node).SelectMany(AllNodes);

    private static IEnumerable<GraphProto> Subgraphs(NodeProto node) =>
        node.Attribute.SelectMany(a => a.Graphs.Concat(a.G is { } g ? [g] : []));

    /// <summary>All nodes that a tensor is computed by.</summary>
    public HashSet<NodeProto> Ancestors(string tensor)
    {
        var nodes = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        var open = new Stack<string>([tensor]);
        while (open.TryPop(out var name))
        {
            if (Producer(name) is not { } node || !nodes.Add(node))
                continue;
            foreach (var input in Inputs(node))
                open.Push(input);
        }

        return nodes;
    }

    /// <summary>
    /// The value of a constant tensor: an initializer or a Constant node's, seen through Identity; null when it is computed.
    /// </summary>
    public TensorProto? Constant(string tensor)
    {
        // Terminates: each step goes to an earlier node of a graph in topological order.
        while (true)
        {
            if (Initializer(tensor) is { } initializer)
                return initializer;
            switch (Producer(tensor))
            {
                case { OpType: "Constant" } node:
                    return ConstantValue(node);
                case { OpType: "Identity" } node:
                    tensor = node.Input[0];
                    continue;
                default:
                    return null;
            }
        }
    }

    // The ONNX specification of Constant: exactly one attribute, whose name states the form. Sparse and string values hold no weights.
    private static TensorProto? ConstantValue(NodeProto node) =>
        node.Attribute.FirstOrDefault() switch
        {
            { Name: "value" } value => value.T,
            { Name: "value_float" } value => TensorData.Of(node.Output[0], [value.F], []),
            { Name: "value_floats" } value => TensorData.Of(node.Output[0], [.. value.Floats], [value.Floats.Count]),
            { Name: "value_int" } value => TensorData.Of(node.Output[0], [value.I], []),
            { Name: "value_ints" } value => TensorData.Of(node.Output[0], [.. value.Ints], [value.Ints.Count]),
            _ => null,
        };

    private static IEnumerable<string> OuterNames(GraphProto graph)
    {
        // Names of a subgraph are its own and hide those outside; only what it does not define comes from outside.
        var inner = graph
            .Node.SelectMany(n => n.Output)
            .Concat(graph.Initializer.Select(i => i.Name))
            .Concat(graph.Input.Select(i => i.Name))
            .ToHashSet();
        return graph.Node.SelectMany(Inputs).Concat(graph.Output.Select(o => o.Name)).Where(n => n.Length > 0 && !inner.Contains(n));
    }
}
