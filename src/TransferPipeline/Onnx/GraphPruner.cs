namespace TransferPipeline.Onnx;

/// <summary>Takes out of a model what some tensors need and nothing else.</summary>
internal static class GraphPruner
{
    /// <summary>
    /// A deep copy of the part of <paramref name="model"/> that makes <paramref name="tensors"/>, without outputs and without stored shapes
    /// (they may bake the batch). Initializers cease to be inputs.
    /// </summary>
    public static ModelProto Cut(ModelProto model, GraphIndex index, IEnumerable<string> tensors)
    {
        var needed = new HashSet<string>(StringComparer.Ordinal);
        var nodes = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        // A walk backwards over inputs. It need not follow an order, since the nodes are copied in that of the graph.
        var open = new Stack<string>(tensors);
        while (open.TryPop(out var tensor))
        {
            if (!needed.Add(tensor) || index.Producer(tensor) is not { } node || !nodes.Add(node))
                continue;
            foreach (var input in GraphIndex.Inputs(node))
                open.Push(input);
        }

        var (graph, stripped) = (model.Graph, Shell(model));
        // Only the image is an input here.
        stripped.AllowUnlistedInitializers();
        stripped.Graph.Node.AddRange(graph.Node.Where(nodes.Contains).Select(n => n.Clone()));
        stripped.Graph.Initializer.AddRange(graph.Initializer.Where(i => needed.Contains(i.Name)).Select(i => i.Clone()));
        stripped.Graph.SparseInitializer.AddRange(
            graph.SparseInitializer.Where(i => needed.Contains(i.Values.Name)).Select(i => i.Clone())
        );
        stripped.Graph.Input.AddRange(graph.Input.Where(i => i.Name == index.Input).Select(i => i.Clone()));
        return stripped;
    }

    /// <summary>The graph without its initializers; weights of Constant nodes are read into it.</summary>
    public static GraphProto WithoutInitializers(GraphProto graph)
    {
        var rest = new GraphProto { Name = graph.Name };
        rest.Node.AddRange(graph.Node.Select(InlineConstants));
        rest.Input.AddRange(graph.Input);
        rest.Output.AddRange(graph.Output);
        rest.SparseInitializer.AddRange(graph.SparseInitializer);
        rest.ValueInfo.AddRange(graph.ValueInfo);
        return rest;
    }

    /// <summary>The model without its graph's parts, unknown fields kept.</summary>
    public static ModelProto Shell(ModelProto model)
    {
        var shell = model.CloneWithoutGraph();
        shell.Graph = new GraphProto { Name = model.Graph.Name.Length > 0 ? model.Graph.Name : "graph" };
        return shell;
    }

    private static NodeProto InlineConstants(NodeProto node)
    {
        if (node.Attribute.All(a => a.T?.DataLocation != TensorProto.Types.DataLocation.External))
            return node;
        var copy = node.Clone();
        foreach (var attribute in copy.Attribute.Where(a => a.T is not null))
            attribute.T = TensorData.Inline(attribute.T);
        return copy;
    }
}
