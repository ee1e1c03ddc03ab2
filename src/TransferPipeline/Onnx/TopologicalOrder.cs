namespace TransferPipeline.Onnx;

/// <summary>
/// ONNX wants nodes in the order of execution and each tensor made once. Files are brought into that order, so that everything else can
/// walk a graph front to back and back to front without meeting a circle.
/// </summary>
internal static class TopologicalOrder
{
    /// <exception cref="BadInputException">A tensor is made twice, comes from nowhere, or depends on itself.</exception>
    public static void Ensure(string file, GraphProto graph)
    {
        var stored = new HashSet<string>(StringComparer.Ordinal);
        foreach (var initializer in graph.Initializer)
        {
            if (!stored.Add(initializer.Name))
                Throw.BadInput($"{file}: not a valid ONNX graph: the initializer '{initializer.Name}' is there twice");
        }

        var makers = new Dictionary<string, NodeProto>(StringComparer.Ordinal);
        stored.UnionWith(graph.Input.Select(i => i.Name));
        foreach (var node in graph.Node)
        {
            foreach (var output in node.Output.Where(o => o.Length > 0))
            {
                if (stored.Contains(output))
                    Throw.BadInput(
                        $"{file}: not a valid ONNX graph: the node '{Name(node)}' makes '{output}', which is an input or initializer"
                    );
                if (!makers.TryAdd(output, node))
                    Throw.BadInput($"{file}: not a valid ONNX graph: the tensor '{output}' is made twice");
            }
        }

        // These need no node. Names of subgraphs come through GraphIndex.Inputs, so control flow waits for what it reads.
        var known = stored.Concat(graph.SparseInitializer.Select(s => s.Values?.Name ?? "")).ToHashSet(StringComparer.Ordinal);
        // Kahn's algorithm: open counts the nodes that a node still waits for.
        var open = new Dictionary<NodeProto, int>(ReferenceEqualityComparer.Instance);
        var users = new Dictionary<NodeProto, List<NodeProto>>(ReferenceEqualityComparer.Instance);
        var ready = new PriorityQueue<NodeProto, int>();
        var position = new Dictionary<NodeProto, int>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < graph.Node.Count; i++)
        {
            var node = graph.Node[i];
            position[node] = i;
            // A set: a node that takes two outputs of one maker waits for it once.
            var sources = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
            foreach (var input in GraphIndex.Inputs(node).Where(n => !known.Contains(n)))
            {
                if (!makers.TryGetValue(input, out var maker))
                    Throw.BadInput($"{file}: not a valid ONNX graph: the node '{Name(node)}' takes '{input}', which nothing makes");
                sources.Add(maker);
            }

            open[node] = sources.Count;
            foreach (var source in sources)
                (users.TryGetValue(source, out var list) ? list : users[source] = []).Add(node);
            if (sources.Count == 0)
                ready.Enqueue(node, i);
        }

        // The earliest node that can run comes next: a graph that is in order stays as it is.
        var order = new List<NodeProto>(graph.Node.Count);
        while (ready.TryDequeue(out var node, out _))
        {
            order.Add(node);
            foreach (var user in users.TryGetValue(node, out var list) ? list : [])
            {
                if (--open[user] == 0)
                    ready.Enqueue(user, position[user]);
            }
        }

        // What was never ready waits for itself over a circle.
        if (order.Count < graph.Node.Count)
            Throw.BadInput($"{file}: not a valid ONNX graph: the node '{Name(graph.Node.First(n => open[n] > 0))}' depends on itself");
        if (!order.SequenceEqual(graph.Node, ReferenceEqualityComparer.Instance))
        {
            graph.Node.Clear();
            graph.Node.AddRange(order);
        }
    }

    private static string Name(NodeProto node) => node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault() ?? node.OpType;
}
