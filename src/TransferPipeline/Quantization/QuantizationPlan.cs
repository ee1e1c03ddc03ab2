using TransferPipeline.Onnx;

namespace TransferPipeline.Quantization;

/// <summary>
/// Which nodes of a network are computed in 8 bits and which tensors are quantized for them. ONNX Runtime runs a node in 8 bits when
/// each of its inputs comes from DequantizeLinear and each output goes to QuantizeLinear.
/// </summary>
internal sealed class QuantizationPlan
{
    /// <summary>They take the levels of their input over to their output.</summary>
    private static readonly HashSet<string> PassOn =
    [
        "MaxPool",
        "Reshape",
        "Flatten",
        "Transpose",
        "Squeeze",
        "Unsqueeze",
        "Identity",
        "Dropout",
    ];

    /// <summary>Operators without weights that ONNX Runtime computes in 8 bits.</summary>
    private static readonly HashSet<string> DataOperators =
    [
        "Add",
        "Mul",
        "AveragePool",
        "GlobalAveragePool",
        "Concat",
        "Sigmoid",
        "LeakyRelu",
    ];

    private readonly FloatNetwork _network;
    private readonly GraphIndex _index;
    private readonly IReadOnlySet<string> _left;
    private readonly HashSet<string> _afterFeature;
    private readonly Dictionary<string, List<NodeProto>> _users = new(StringComparer.Ordinal);
    private readonly HashSet<string> _outputs;
    private readonly HashSet<NodeProto> _quantized = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<NodeProto> _inEightBits = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<NodeProto, NodeProto> _folded = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, string> _shared = new(StringComparer.Ordinal);
    private readonly List<string> _tensors = [];

    /// <param name="left">Names of the layers (of <see cref="LayerName"/>) that stay in float.</param>
    public QuantizationPlan(FloatNetwork network, IReadOnlySet<string> left)
    {
        (_network, _index, _left) = (network, network.Index, left);
        foreach (var node in network.Model.Graph.Node)
        {
            foreach (var input in GraphIndex.Inputs(node).Distinct())
                (_users.TryGetValue(input, out var list) ? list : _users[input] = []).Add(node);
        }

        _outputs = network.Model.Graph.Output.Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        _afterFeature = AfterFeature();
        // In the graph's order: whether an input has 8 bits is known before its users are visited.
        foreach (var node in network.Model.Graph.Node)
            Visit(node);
        foreach (var tensor in network.Model.Graph.Node.SelectMany(n => n.Output).Prepend(network.Input.Name))
        {
            if (IsQuantized(tensor))
                _tensors.Add(tensor);
        }
    }

    /// <summary>Nodes that are computed in 8 bits, those that pass levels on included.</summary>
    public IReadOnlySet<NodeProto> Nodes => _quantized;

    /// <summary>Tensors that become uint8, in the graph's order.</summary>
    public IReadOnlyList<string> Tensors => _tensors;

    /// <summary>Relu and Clip nodes that the range of their output replaces, by the node before them.</summary>
    public IReadOnlyDictionary<NodeProto, NodeProto> Folded => _folded;

    /// <summary>The tensor whose range a tensor takes: its own, or that of the input which was passed on.</summary>
    public string RangeOf(string tensor)
    {
        // A chain, since several nodes that pass levels on may follow each other.
        while (_shared.TryGetValue(tensor, out var other))
            tensor = other;
        return tensor;
    }

    /// <summary>The layers with weights that can be in 8 bits, in the graph's order.</summary>
    public IEnumerable<NodeProto> Layers => _network.Model.Graph.Node.Where(n => _quantized.Contains(n) && HasWeights(n));

    public static bool HasWeights(NodeProto node) => node.OpType is "Conv" or "Gemm" or "MatMul";

    /// <summary>The node's name, or its output's where it has none.</summary>
    public static string LayerName(NodeProto node) => node.Name.Length > 0 ? node.Name : node.Output[0];

    /// <summary>Layers with weights that stay in float, with the reason.</summary>
    public IEnumerable<(NodeProto Node, string Reason)> FloatLayers()
    {
        foreach (var node in _network.Model.Graph.Node)
        {
            if (HasWeights(node) && _index.Depends(node.Output[0]) && !_quantized.Contains(node))
            {
                yield return (
                    node,
                    IsAfterFeature(node) ? "after the feature"
                    : _left.Contains(LayerName(node)) ? "sensitive"
                    : MakesFeature(node) ? "makes the feature"
                    : "its form has no 8-bit kernel"
                );
            }
        }
    }

    /// <summary>
    /// What can stay in float together: each layer with weights alone, and each tensor in 8 bits with the nodes that make and take it.
    /// </summary>
    public IEnumerable<IReadOnlySet<string>> Neighbourhoods()
    {
        foreach (var layer in Layers)
            yield return new HashSet<string>(StringComparer.Ordinal) { LayerName(layer) };
        var makers = _folded.ToDictionary(f => f.Value, f => f.Key, (IEqualityComparer<NodeProto>)ReferenceEqualityComparer.Instance);
        // A tensor that takes over the levels of another one is tried with that one.
        foreach (var tensor in _tensors.Where(t => RangeOf(t) == t))
        {
            var names = (_users.GetValueOrDefault(tensor) ?? [])
                .Where(_quantized.Contains)
                .Select(LayerName)
                .ToHashSet(StringComparer.Ordinal);
            // A folded activation has no kernel of its own: the layer before it is what can stay in float.
            if (_index.Producer(tensor) is { } producer && _inEightBits.Contains(producer))
                names.Add(LayerName(makers.GetValueOrDefault(producer, producer)));
            yield return names;
        }
    }

    /// <summary>
    /// A Relu behind a product that gives float: ONNX Runtime takes such a product for one whose Relu the levels replace, finds no levels
    /// and leaves it in float.
    /// </summary>
    public bool HidesProduct(NodeProto node) =>
        node.OpType == "Relu"
        && _index.Producer(node.Input[0]) is { OpType: "Gemm" or "MatMul" } product
        && _quantized.Contains(product)
        && !_inEightBits.Contains(product);

    private HashSet<string> AfterFeature()
    {
        var after = new HashSet<string>(StringComparer.Ordinal) { _network.Feature };
        foreach (var node in _network.Model.Graph.Node)
        {
            if (GraphIndex.Inputs(node).Any(after.Contains))
                after.UnionWith(node.Output);
        }

        return after;
    }

    private bool IsAfterFeature(NodeProto node) => GraphIndex.Inputs(node).Any(_afterFeature.Contains);

    /// <summary>The node's output is the feature, as it is or after an activation and reshaping.</summary>
    private bool MakesFeature(NodeProto node)
    {
        var tensor = node.Output[0];
        while (true)
        {
            if (tensor == _network.Feature || _outputs.Contains(tensor))
                return true;
            if (
                _users.GetValueOrDefault(tensor)
                is not [{ OpType: "Relu" or "Clip" or "Reshape" or "Flatten" or "Squeeze" or "Identity" or "Dropout" } next]
            )
                return false;
            tensor = next.Output[0];
        }
    }

    private void Visit(NodeProto node)
    {
        if (
            node.Domain is not ("" or "ai.onnx")
            || IsAfterFeature(node)
            || _left.Contains(LayerName(node))
            || !_index.Depends(node.Output[0])
        )
            return;
        switch (node.OpType)
        {
            // A convolution that makes the feature would give 8 bits, and heads get float vectors.
            case "Conv" when IsConv(node) && !MakesFeature(node):
            // A product may give float, so it can be in 8 bits even where it makes the feature.
            case "Gemm" when IsGemm(node):
            // Products of two activations, as in attention, have no constant side and stay in float.
            case "MatMul" when _index.Constant(node.Input[1]) is { Dims.Count: 2 } && _index.Depends(node.Input[0]):
                Take(node);
                break;
            case var op when DataOperators.Contains(op) && !MakesFeature(node) && ComesFromEightBits(node):
                Take(node);
                break;
            case var op when PassOn.Contains(op) && !MakesFeature(node) && node.Output.Count == 1 && IsEightBit(node.Input[0]):
                _quantized.Add(node);
                _inEightBits.Add(node);
                _shared[node.Output[0]] = node.Input[0];
                break;
        }
    }

    private void Take(NodeProto node)
    {
        _quantized.Add(node);
        // A matrix product may give float; others give 8 bits. Float is kept where nothing in 8 bits follows.
        if (node.OpType is "Gemm" or "MatMul" && !FeedsLayer(node))
            return;
        _inEightBits.Add(node);
        if (
            _users.GetValueOrDefault(node.Output[0]) is [{ OpType: "Relu" or "Clip" } activation]
            && !_outputs.Contains(node.Output[0])
            && !_afterFeature.Contains(activation.Output[0])
            && !_left.Contains(LayerName(activation))
            && IsFoldable(activation)
        )
        {
            _folded[node] = activation;
            _quantized.Add(activation);
            _inEightBits.Add(activation);
        }
    }

    /// <summary>Clipping to a range around 0 is what the levels do by themselves.</summary>
    private bool IsFoldable(NodeProto activation) =>
        activation.OpType == "Relu"
        || (Bound(activation, 1) is not > 0 && Bound(activation, 2) is not < 0 && HasConstantBounds(activation));

    private bool HasConstantBounds(NodeProto clip) => clip.Input.Skip(1).All(i => i.Length == 0 || _index.Constant(i) is not null);

    private float? Bound(NodeProto clip, int input) =>
        clip.Input.Count > input && clip.Input[input].Length > 0 && _index.Constant(clip.Input[input]) is { } value
            ? TensorData.Floats(value)[0]
            : null;

    private bool IsConv(NodeProto node) =>
        _index.Constant(node.Input[1]) is { Dims.Count: 4 or 3 }
        && _index.Depends(node.Input[0])
        && (node.Input.Count < 3 || node.Input[2].Length == 0 || _index.Constant(node.Input[2]) is not null);

    private bool IsGemm(NodeProto node) =>
        _index.Constant(node.Input[1]) is { Dims.Count: 2 } weights
        && _index.Depends(node.Input[0])
        && node.Int("transA", 0) == 0
        && (node.Attribute("alpha")?.F ?? 1) == 1
        && (node.Attribute("beta")?.F ?? 1) == 1
        && (
            node.Input.Count < 3
            || node.Input[2].Length == 0
            || (_index.Constant(node.Input[2]) is { } bias && TensorData.Count(bias) == WeightLayout.Of(node, weights.Dims)?.Outputs)
        );

    /// <summary>All inputs are photos' tensors and at least one is of 8 bits already.</summary>
    private bool ComesFromEightBits(NodeProto node) => node.Input.All(_index.Depends) && node.Input.Any(IsEightBit);

    private bool IsEightBit(string tensor) => _index.Producer(tensor) is { } producer && _inEightBits.Contains(producer);

    /// <summary>Whether the users of a matrix product, past activations and reshaping, are layers that take 8 bits.</summary>
    private bool FeedsLayer(NodeProto node)
    {
        var tensor = node.Output[0];
        while (!_outputs.Contains(tensor) && !_afterFeature.Contains(tensor))
        {
            // Every user has to take 8 bits: one that needs float would get rounded values.
            var users = _users.GetValueOrDefault(tensor) ?? [];
            if (users.Count > 0 && users.All(u => (u.OpType is "Gemm" && IsGemm(u)) || (u.OpType is "Conv" && IsConv(u))))
                return true;
            if (users is not [{ OpType: "Relu" or "Clip" or "Reshape" or "Flatten" or "Squeeze" or "Identity" or "Dropout" } next])
                return false;
            tensor = next.Output[0];
        }

        return false;
    }

    /// <summary>A tensor is quantized when a node made it in 8 bits or one takes it in 8 bits.</summary>
    private bool IsQuantized(string tensor)
    {
        if (tensor.Length == 0 || _afterFeature.Contains(tensor) || !_index.Depends(tensor))
            return false;
        // The tensor before a folded activation is not in the written graph: the layer makes the activation's output.
        var producer = _index.Producer(tensor);
        if (producer is not null && _folded.ContainsKey(producer))
            return false;
        return (producer is not null && _inEightBits.Contains(producer))
            || (_users.GetValueOrDefault(tensor) ?? []).Any(u =>
                _quantized.Contains(u) && !_folded.ContainsValue(u) && TakesData(u, tensor)
            );
    }

    /// <summary>Shapes of a Reshape and weights are no data.</summary>
    private static bool TakesData(NodeProto node, string tensor) =>
        HasWeights(node) || PassOn.Contains(node.OpType) ? node.Input[0] == tensor : node.Input.Contains(tensor);
}
