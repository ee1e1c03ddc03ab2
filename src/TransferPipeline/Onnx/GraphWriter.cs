namespace TransferPipeline.Onnx;

/// <summary>
/// Appends nodes to a model in the form that its opset wants: <c>axes</c> of Squeeze, Unsqueeze and the reductions may be given as an
/// attribute or as a constant second input and are written as the one that is valid there. Names never clash with the graph's.
/// </summary>
public sealed class GraphWriter : IGraphWriter
{
    /// <summary>Version of the ai.onnx.ml domain that is imported when a model without it gets such a node; ONNX Runtime's tree ensembles are of version 3.</summary>
    private const int MlOpset = 3;

    private readonly ModelProto _model;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    public GraphWriter(ModelProto model)
    {
        _model = model;
        Opset = (int)(model.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 1);
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
    public int Opset { get; }

    public GraphProto Graph => _model.Graph;

    public string Constant(string hint, ReadOnlySpan<float> values, params ReadOnlySpan<long> dims) => Add(TensorData.Of(Unique(hint), values, dims));

    public string Constant(string hint, ReadOnlySpan<Half> values, params ReadOnlySpan<long> dims) => Add(TensorData.Of(Unique(hint), values, dims));

    public string Constant(string hint, ReadOnlySpan<long> values, params ReadOnlySpan<long> dims) => Add(TensorData.Of(Unique(hint), values, dims));

    public string Node(string op, ReadOnlySpan<string> inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Nodes(op, "", 1, inputs, attributes)[0];

    public string[] Nodes(string op, string domain, int outputs, ReadOnlySpan<string> inputs, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var node = new NodeProto { OpType = op, Domain = domain, Name = Unique(op) };
        foreach (var input in inputs)
            node.Input.Add(input);
        foreach (var (name, value) in attributes)
            node.Attribute.Add(OnnxAttributes.Create(name, value));
        var names = new string[outputs];
        for (var i = 0; i < outputs; i++)
            names[i] = Unique(op.ToLowerInvariant() + "_out");
        node.Output.AddRange(names);
        if (domain.Length == 0)
            AdaptAxes(node);
        else if (_model.OpsetImport.All(o => o.Domain != domain))
            _model.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = domain == "ai.onnx.ml" ? MlOpset : 1 });
        Graph.Node.Add(node);
        return names;
    }

    /// <summary>Makes <paramref name="tensor"/> available under <paramref name="name"/> and declares it as an output of the given type and shape (-1 = dynamic).</summary>
    public void Output(string tensor, string name, TensorProto.Types.DataType type, params ReadOnlySpan<long> dims)
    {
        if (tensor != name)
        {
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
            shape.Dim.Add(d < 0 ? new TensorShapeProto.Types.Dimension { DimParam = "N" } : new TensorShapeProto.Types.Dimension { DimValue = d });
        return new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)type, Shape = shape } } };
    }

    private string Add(TensorProto tensor)
    {
        Graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    /// <summary>Axes became an input in opset 13 (Squeeze, Unsqueeze, ReduceSum) and 18 (the other reductions).</summary>
    private void AdaptAxes(NodeProto node)
    {
        var since = node.OpType switch
        {
            "Squeeze" or "Unsqueeze" or "ReduceSum" => 13,
            "ReduceMean" or "ReduceMax" or "ReduceMin" or "ReduceProd" or "ReduceL1" or "ReduceL2" or "ReduceLogSum" or "ReduceLogSumExp" or "ReduceSumSquare" => 18,
            _ => 0,
        };
        if (since == 0)
            return;
        if (Opset >= since && node.Attribute("axes") is { } attribute)
        {
            node.Attribute.Remove(attribute);
            node.Input.Add(Constant("axes", [.. attribute.Ints], attribute.Ints.Count));
        }
        else if (Opset < since && node.Input.Count > 1)
        {
            var axes = Graph.Initializer.First(i => i.Name == node.Input[1]);
            node.Input.RemoveAt(1);
            node.Attribute.Add(OnnxAttributes.Create("axes", TensorData.Int64s(axes)));
            Graph.Initializer.Remove(axes);
        }
    }
}
