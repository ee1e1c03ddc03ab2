namespace TransferPipeline.Onnx;

/// <summary>
/// Appends nodes to a model in the form that its opset wants: <c>axes</c> of Squeeze, Unsqueeze and the reductions may be given as an
/// attribute or as a constant second input and are written as the one that is valid there. Names never clash with the graph's.
/// </summary>
internal sealed class GraphWriter : IGraphWriter
{
    /// <summary>
    /// Version of the ai.onnx.ml domain that is imported when a model without it gets such a node; ONNX Runtime's tree ensembles are of
    /// version 3.
    /// </summary>
    private const int MlOpset = 3;

    private readonly ModelProto _model;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>
    /// Constants of this writer that are attributes now and are no initializers until another node takes them as an input.
    /// </summary>
    private readonly Dictionary<string, TensorProto> _dropped = new(StringComparer.Ordinal);

    public GraphWriter(ModelProto model)
    {
        _model = model;
        foreach (var node in Graph.Node)
        {
            _names.Add(node.Name);
            _names.UnionWith(node.Output);
            _names.UnionWith(node.Input);
        }

        _names.UnionWith(Graph.Initializer.Select(i => i.Name));
        _names.UnionWith(Graph.Input.Select(i => i.Name));
        _names.UnionWith(Graph.Output.Select(o => o.Name));
    }

    /// <summary>Version of the default operator set.</summary>
    public int Opset => _model.Opset;

    public GraphProto Graph => _model.Graph;

    public string Constant(string hint, ReadOnlySpan<float> values, params ReadOnlySpan<long> dims) =>
        Add(TensorData.Of(Unique(hint), values, dims));

    public string Constant(string hint, ReadOnlySpan<Half> values, params ReadOnlySpan<long> dims) =>
        Add(TensorData.Of(Unique(hint), values, dims));

    public string Constant(string hint, ReadOnlySpan<long> values, params ReadOnlySpan<long> dims) =>
        Add(TensorData.Of(Unique(hint), values, dims));

    public string Node(string op, ReadOnlySpan<string> inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Nodes(op, "", 1, inputs, attributes)[0];

    public string[] Nodes(
        string op,
        string domain,
        int outputs,
        ReadOnlySpan<string> inputs,
        params ReadOnlySpan<(string Name, object Value)> attributes
    )
    {
        var node = new NodeProto
        {
            OpType = op,
            Domain = domain,
            Name = Unique(op),
        };
        foreach (var input in inputs)
            node.Input.Add(input);
        foreach (var (name, value) in attributes)
            node.Attribute.Add(OnnxAttributes.Create(name, value));
        var names = new string[outputs];
        for (var i = 0; i < outputs; i++)
            names[i] = Unique(op.ToLowerInvariant() + "_out");
        node.Output.AddRange(names);
        // Adapt runs before the initializers are checked, since it may turn a constant input into an attribute.
        if (domain.Length == 0)
            Adapt(node);
        else if (_model.OpsetImport.All(o => o.Domain != domain))
            _model.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = domain == "ai.onnx.ml" ? MlOpset : 1 });
        // A constant that an earlier node turned into an attribute is needed as a tensor again.
        foreach (var input in node.Input)
        {
            if (_dropped.Remove(input, out var constant))
                Graph.Initializer.Add(constant);
        }

        Graph.Node.Add(node);
        return names;
    }

    /// <summary>
    /// Makes <paramref name="tensor"/> available under <paramref name="name"/> and declares it as an output of the given type and shape (-1
    /// = dynamic).
    /// </summary>
    public void Output(string tensor, string name, TensorProto.Types.DataType type, params ReadOnlySpan<long> dims)
    {
        if (tensor != name)
        {
            // An Identity and no renaming: the tensor may itself be an initializer, an input, or have other users.
            var node = new NodeProto { OpType = "Identity", Name = Unique("Identity") };
            node.Input.Add(tensor);
            node.Output.Add(name);
            _names.Add(name);
            Graph.Node.Add(node);
        }

        Graph.Output.Add(Declare(name, type, dims));
    }

    /// <summary>Frees a name for an output: a tensor that has it gets another.</summary>
    public void Rename(string name)
    {
        if (!_names.Contains(name))
            return;
        var other = Unique(name + "_inner");
        GraphEdit.Redirect(Graph, name, other);
        GraphEdit.RenameMade(Graph, name, other);
        foreach (var initializer in Graph.Initializer.Where(i => i.Name == name))
            initializer.Name = other;
        _names.Remove(name);
    }

    /// <summary>A name that is not yet in the graph.</summary>
    public string Unique(string hint)
    {
        var name = hint;
        for (var i = 1; !_names.Add(name); i++)
            name = $"{hint}_{i}";
        return name;
    }

    /// <summary>A typed and shaped input or output; -1 is the batch axis N.</summary>
    public static ValueInfoProto Declare(string name, TensorProto.Types.DataType type, params ReadOnlySpan<long> dims)
    {
        var shape = new TensorShapeProto();
        foreach (var d in dims)
            shape.Dim.Add(
                d < 0 ? new TensorShapeProto.Types.Dimension { DimParam = "N" } : new TensorShapeProto.Types.Dimension { DimValue = d }
            );
        return new()
        {
            Name = name,
            Type = new()
            {
                TensorType = new() { ElemType = (int)type, Shape = shape },
            },
        };
    }

    private string Add(TensorProto tensor)
    {
        Graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    /// <summary>
    /// Axes became an input in opset 13 (Squeeze, Unsqueeze, ReduceSum) and 18 (the other reductions), the bounds of Slice and the count of
    /// TopK in opset 10; and TopK took the largest values, sorted, up to opset 10.
    /// </summary>
    private void Adapt(NodeProto node)
    {
        switch (node.OpType)
        {
            case "Squeeze" or "Unsqueeze" or "ReduceSum":
                AdaptAxes(node, 13);
                break;
            case "ReduceMean"
            or "ReduceMax"
            or "ReduceMin"
            or "ReduceProd"
            or "ReduceL1"
            or "ReduceL2"
            or "ReduceLogSum"
            or "ReduceLogSumExp"
            or "ReduceSumSquare":
                AdaptAxes(node, 18);
                break;
            case "Slice" when Opset < 10 && node.Input.Count > 1:
                ToAttributes(node, "starts", "ends", "axes");
                break;
            case "TopK" when Opset < 11:
                if (node.Int("largest", 1) == 0 || node.Int("sorted", 1) == 0)
                    // Refused instead of rewritten by Neg, since no caller wants the smallest values.
                    throw new InvalidOperationException($"TopK of opset {Opset} gives the largest values, sorted");
                foreach (var newer in node.Attribute.Where(a => a.Name is "largest" or "sorted").ToList())
                    node.Attribute.Remove(newer);
                if (Opset < 10)
                {
                    // In opset 1 to 9 k is one integer and no list.
                    ToAttributes(node, "k");
                    (node.Attribute("k")!.I, node.Attribute("k")!.Type) = (
                        node.Attribute("k")!.Ints[0],
                        AttributeProto.Types.AttributeType.Int
                    );
                    node.Attribute("k")!.Ints.Clear();
                }

                break;
        }
    }

    private void AdaptAxes(NodeProto node, int since)
    {
        if (Opset >= since && node.Attribute("axes") is { } attribute)
        {
            node.Attribute.Remove(attribute);
            node.Input.Add(Constant("axes", [.. attribute.Ints], attribute.Ints.Count));
        }
        else if (Opset < since && node.Input.Count > 1)
        {
            ToAttributes(node, "axes");
        }
    }

    /// <summary>Turns the constant inputs behind the first into attributes. The same constant may serve several nodes.</summary>
    private void ToAttributes(NodeProto node, params ReadOnlySpan<string> names)
    {
        for (var i = 1; i < node.Input.Count; i++)
        {
            var name = node.Input[i];
            if (!_dropped.TryGetValue(name, out var constant))
            {
                constant = Graph.Initializer.First(t => t.Name == name);
                // The node itself is not in the graph yet: without another user the constant is of no use.
                if (Graph.Node.All(n => !GraphIndex.Inputs(n).Contains(name)))
                {
                    Graph.Initializer.Remove(constant);
                    _dropped.Add(name, constant);
                }
            }

            node.Attribute.Add(OnnxAttributes.Create(names[i - 1], TensorData.Int64s(constant)));
        }

        while (node.Input.Count > 1)
            node.Input.RemoveAt(1);
    }
}
