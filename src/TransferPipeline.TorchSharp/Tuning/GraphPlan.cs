using TransferPipeline.Onnx;
using TransferPipeline.Tuning;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>A graph prepared to run: nodes in order, the places of their values, and after which node each value is let go.</summary>
internal sealed class GraphPlan : IDisposable
{
    /// <summary>Operators whose result libtorch does not need for their derivative, so that the next node may overwrite it.</summary>
    private static readonly string[] ResultNotNeeded =
    [
        "Conv",
        "BatchNormalization",
        "Gemm",
        "Add",
        "Sub",
        "Concat",
        "AveragePool",
        "GlobalAveragePool",
        "MaxPool",
    ];

    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);

    /// <param name="graph">One that <see cref="GraphCheck"/> has nothing against.</param>
    public GraphPlan(TunedGraph graph)
    {
        var model = graph.Model;
        Opset = model.Opset;
        Parameters = TrainableWeights.Find(model.Graph, graph.Inputs.Select(i => i.Name));
        Inputs = [.. graph.Inputs.Select(i => Slot(i.Name))];
        var parameters = Parameters.ToDictionary(p => p.Name, StringComparer.Ordinal);
        ParameterSlots = [.. Parameters.Select(p => Slot(p.Name))];
        string[] features = graph.Auxiliary is { } auxiliary ? [graph.Head.Feature, auxiliary.Feature] : [graph.Head.Feature];
        // Parameters count as given, so that a Constant or an Identity that makes one is not run.
        var nodes = Needed(model.Graph, features, graph.Inputs.Select(i => i.Name).Concat(parameters.Keys));
        var index = new GraphIndex(model.Graph, graph.Inputs[0].Name);
        nodes = SwishPattern.Fuse(GeluPattern.Fuse(nodes, index, features), features);
        Outputs = [.. features.Select(Slot)];
        var used = nodes.SelectMany(n => n.Input).Concat(features).ToHashSet(StringComparer.Ordinal);
        foreach (var initializer in model.Graph.Initializer.Where(i => used.Contains(i.Name) && !parameters.ContainsKey(i.Name)))
            Constants.Add((Slot(initializer.Name), HostArray.Of(initializer)));
        Nodes = Plan(nodes, index);
    }

    public int Opset { get; }

    public IReadOnlyList<TunedParameter> Parameters { get; }

    /// <summary>Slots of the parameters, in their order.</summary>
    public IReadOnlyList<int> ParameterSlots { get; }

    public IReadOnlyList<PlannedNode> Nodes { get; }

    /// <summary>The nodes from one BatchNormalization to the next, in order.</summary>
    public IReadOnlyList<PlanSegment> Segments { get; private set; } = [];

    /// <summary>Initializers that do not train.</summary>
    public List<(int Slot, HostArray Value)> Constants { get; } = [];

    /// <summary>Slots of the cut's tensors.</summary>
    public IReadOnlyList<int> Inputs { get; }

    /// <summary>Slots of the feature and of the auxiliary classifier's, if there is one.</summary>
    public IReadOnlyList<int> Outputs { get; }

    public int Slots => _slots.Count;

    /// <summary>Whether nothing but products takes a tensor.</summary>
    public bool IsFactor(string name) => Nodes.Where(n => n.Node.Input.Contains(name)).All(n => Bfloat16.IsProduct(n.Node));

    public void Dispose()
    {
        foreach (var (_, value) in Constants)
            value.Dispose();
    }

    /// <summary>The nodes from which the features are computed, in their order, without those that make what is given.</summary>
    private static List<NodeProto> Needed(GraphProto graph, string[] features, IEnumerable<string> given)
    {
        var known = given.ToHashSet(StringComparer.Ordinal);
        var needed = features.Where(f => !known.Contains(f)).ToHashSet(StringComparer.Ordinal);
        var nodes = new List<NodeProto>();
        // Backwards: a node is needed when a later one takes what it makes.
        foreach (var node in graph.Node.Reverse().Where(n => n.Output.Any(needed.Contains)))
        {
            nodes.Add(node);
            needed.UnionWith(node.Input.Where(i => i.Length > 0 && !known.Contains(i)));
        }

        nodes.Reverse();
        return nodes;
    }

    private List<PlannedNode> Plan(List<NodeProto> nodes, GraphIndex index)
    {
        int[][] inputs = [.. nodes.Select(n => n.Input.Select(SlotOrNone).ToArray())];
        int[][] outputs = [.. nodes.Select(n => n.Output.Select(SlotOrNone).ToArray())];
        var (lastUse, uses, maker) = (new int[Slots], new int[Slots], new int[Slots]);
        Array.Fill(maker, -1);
        for (var i = 0; i < nodes.Count; i++)
        {
            foreach (var slot in outputs[i].Where(s => s >= 0))
                // An output that nothing takes is released by its own node.
                (lastUse[slot], maker[slot]) = (i, i);
            foreach (var slot in inputs[i].Where(s => s >= 0))
                (lastUse[slot], uses[slot]) = (i, uses[slot] + 1);
        }

        foreach (var slot in Outputs)
            // Features are used after the pass: they are neither released nor overwritten.
            (lastUse[slot], uses[slot]) = (nodes.Count, uses[slot] + 1);
        // Without a maker a value is a weight, a constant or the cut's tensor, which others dispose.
        var released = Enumerable.Range(0, Slots).Where(s => maker[s] >= 0).ToLookup(s => lastUse[s]);
        List<PlannedNode> planned =
        [
            .. nodes.Select(
                (node, i) =>
                    new PlannedNode(
                        i,
                        node,
                        OperatorTable.Find(node.OpType),
                        inputs[i],
                        outputs[i],
                        [.. released[i]],
                        [
                            .. inputs[i]
                                .Select(s => s >= 0 && uses[s] == 1 && maker[s] >= 0 && ResultNotNeeded.Contains(nodes[maker[s]].OpType)),
                        ]
                    )
            ),
        ];
        Segments = PlanSegment.Divide(planned, index, lastUse, uses, maker);
        return planned;
    }

    private int SlotOrNone(string name) => name.Length == 0 ? -1 : Slot(name);

    private int Slot(string name)
    {
        if (!_slots.TryGetValue(name, out var slot))
            _slots[name] = slot = _slots.Count;
        return slot;
    }
}
