namespace TransferPipeline.Onnx;

/// <summary>
/// Replaces calls of a model's own functions (PyTorch's exporter writes one per module) by their nodes, so that a classifier inside a
/// function is seen. Names inside get the calling node's name in front; names outside stay.
/// </summary>
internal sealed class LocalFunctions
{
    /// <summary>Nodes after which a file is refused: functions that call functions can grow without bound.</summary>
    private const int MaxNodes = 1_000_000;

    private readonly string _file;
    private readonly Dictionary<(string Domain, string Name, string Overload), FunctionProto> _functions;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private int _count;

    private LocalFunctions(string file, ModelProto model)
    {
        _file = file;
        _functions = model.Functions.GroupBy(f => (Domain(f.Domain), f.Name, f.Overload)).ToDictionary(g => g.Key, g => g.First());
        foreach (var node in model.Graph.Node)
        {
            _names.UnionWith(node.Input);
            _names.UnionWith(node.Output);
        }

        _names.UnionWith(model.Graph.Initializer.Select(i => i.Name));
    }

    /// <summary>
    /// Edits <paramref name="model"/> in place. Functions of another version of the default operators than the graph's are left as calls.
    /// </summary>
    /// <exception cref="BadInputException">A function calls itself.</exception>
    public static void Inline(string file, ModelProto model)
    {
        if (model.Functions.Count == 0)
            return;
        var opset = Opset(model.OpsetImport);
        var inliner = new LocalFunctions(file, model);
        // Inlining would read a node by the graph's version of the operators, which may define it otherwise.
        foreach (var (key, function) in inliner._functions.ToList())
        {
            if (function.OpsetImport.Any(o => Domain(o.Domain).Length == 0) && Opset(function.OpsetImport) != opset)
                inliner._functions.Remove(key);
        }

        var nodes = new List<NodeProto>();
        inliner.Expand(model.Graph.Node, nodes, []);
        model.Graph.Node.Clear();
        model.Graph.Node.AddRange(nodes);
        foreach (var import in model.Functions.SelectMany(f => f.OpsetImport))
        {
            if (model.OpsetImport.All(o => Domain(o.Domain) != Domain(import.Domain)))
                model.OpsetImport.Add(import.Clone());
        }

        // What was left as a call still needs its function; the others would only be read again.
        var remaining = model.Functions.Where(f => !inliner._functions.ContainsKey((Domain(f.Domain), f.Name, f.Overload))).ToList();
        model.Functions.Clear();
        model.Functions.AddRange(remaining);
    }

    private void Expand(IEnumerable<NodeProto> from, List<NodeProto> to, HashSet<FunctionProto> open)
    {
        foreach (var node in from)
        {
            // Counts calls too: functions that each call the next one twice double the nodes with every level.
            if (++_count > MaxNodes)
                Throw.BadInput($"{_file}: its functions expand to more than {MaxNodes} nodes; expected an image network");
            foreach (var attribute in node.Attribute.Where(a => a.G is not null))
                ExpandSubgraph(attribute.G, open);
            if (!_functions.TryGetValue((Domain(node.Domain), node.OpType, node.Overload), out var function))
            {
                to.Add(node);
                continue;
            }

            // ONNX forbids recursion. The set holds the functions that are being expanded, and not all that ever were.
            if (!open.Add(function))
                Throw.BadInput($"{_file}: not a valid ONNX graph: the function '{function.Name}' calls itself");
            Expand(Body(function, node), to, open);
            open.Remove(function);
        }
    }

    private void ExpandSubgraph(GraphProto graph, HashSet<FunctionProto> open)
    {
        var nodes = new List<NodeProto>();
        Expand(graph.Node, nodes, open);
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
    }

    /// <summary>The function's nodes with the call's inputs, outputs and attributes in them.</summary>
    private List<NodeProto> Body(FunctionProto function, NodeProto call)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < function.Input.Count; i++)
            // A trailing optional input may be left out; an empty name means the same.
            names[function.Input[i]] = i < call.Input.Count ? call.Input[i] : "";
        for (var i = 0; i < function.Output.Count; i++)
        {
            // An input that is also an output needs a copy under the output's name.
            var outer = i < call.Output.Count && call.Output[i].Length > 0 ? call.Output[i] : Unique(call, function.Output[i]);
            if (!names.TryAdd(function.Output[i], outer))
                return [.. Copies(function, call, names)];
        }

        // Defaults of the function first, so that the call's own attributes replace them.
        var attributes = new Dictionary<string, AttributeProto>(StringComparer.Ordinal);
        foreach (var attribute in function.AttributeProto.Concat(call.Attribute))
            attributes[attribute.Name] = attribute;
        return [.. function.Node.Select(n => Renamed(n.Clone(), call, names, attributes))];
    }

    /// <summary>The body of a function that returns one of its inputs.</summary>
    private IEnumerable<NodeProto> Copies(FunctionProto function, NodeProto call, Dictionary<string, string> names)
    {
        var copy = function.Clone();
        var nodes = new List<NodeProto>();
        for (var i = 0; i < copy.Output.Count; i++)
        {
            if (!function.Input.Contains(copy.Output[i]))
                continue;
            var output = copy.Output[i] + "_returned";
            nodes.Add(
                new NodeProto
                {
                    OpType = "Identity",
                    Input = { copy.Output[i] },
                    Output = { output },
                }
            );
            copy.Output[i] = output;
        }

        names.Clear();
        copy.Node.AddRange(nodes);
        return Body(copy, call);
    }

    private NodeProto Renamed(
        NodeProto node,
        NodeProto call,
        Dictionary<string, string> names,
        Dictionary<string, AttributeProto> attributes
    )
    {
        for (var i = 0; i < node.Input.Count; i++)
            node.Input[i] = Name(node.Input[i]);
        for (var i = 0; i < node.Output.Count; i++)
            node.Output[i] = Name(node.Output[i]);
        if (node.Name.Length > 0)
            node.Name = Prefix(call) + node.Name;
        // From the end, since attributes are removed on the way.
        for (var i = node.Attribute.Count - 1; i >= 0; i--)
        {
            var attribute = node.Attribute[i];
            if (attribute.RefAttrName.Length > 0)
            {
                // An attribute that the call leaves out keeps the operator's default.
                node.Attribute.RemoveAt(i);
                if (attributes.TryGetValue(attribute.RefAttrName, out var value))
                {
                    var given = value.Clone();
                    given.Name = attribute.Name;
                    node.Attribute.Insert(i, given);
                }
            }
            else if (attribute.G is { } graph)
            {
                RenameSubgraph(graph, call, names, attributes);
            }
        }

        return node;

        // Names that are neither inputs nor outputs are local to this call, and get a name of their own at first sight.
        string Name(string name) =>
            name.Length == 0 ? ""
            : names.TryGetValue(name, out var known) ? known
            : names[name] = Unique(call, name);
    }

    private void RenameSubgraph(
        GraphProto graph,
        NodeProto call,
        Dictionary<string, string> names,
        Dictionary<string, AttributeProto> attributes
    )
    {
        foreach (var value in graph.Input)
            value.Name = names[value.Name] = Unique(call, value.Name);
        foreach (var tensor in graph.Initializer)
            tensor.Name = names[tensor.Name] = Unique(call, tensor.Name);
        foreach (var node in graph.Node)
            Renamed(node, call, names, attributes);
        foreach (var value in graph.Output)
            value.Name = names.GetValueOrDefault(value.Name, value.Name);
    }

    private string Unique(NodeProto call, string name)
    {
        var unique = Prefix(call) + name;
        for (var i = 1; !_names.Add(unique); i++)
            unique = $"{Prefix(call)}{name}_{i}";
        return unique;
    }

    private static string Prefix(NodeProto call) =>
        (call.Name.Length > 0 ? call.Name : call.Output.FirstOrDefault(o => o.Length > 0) ?? call.OpType) + "/";

    private static string Domain(string domain) => domain == "ai.onnx" ? "" : domain;

    private static long Opset(IEnumerable<OperatorSetIdProto> imports) =>
        imports.FirstOrDefault(o => Domain(o.Domain).Length == 0)?.Version ?? 0;
}
