using TransferPipeline.Onnx;

namespace TransferPipeline.Quantization;

/// <summary>Maps whose channels can be scaled together without a change of what the network computes.</summary>
/// <param name="Tensors">Maps that are tied: through Relu, pooling, additions.</param>
/// <param name="Producers">Convolutions that make them: their output channels are divided by the factors.</param>
/// <param name="Consumers">Convolutions that take them: their input channels are multiplied.</param>
/// <param name="Bound">Smallest upper limit of a Clip among them; infinite without one.</param>
internal sealed record ChannelGroup(
    IReadOnlyList<string> Tensors,
    IReadOnlyList<NodeProto> Producers,
    IReadOnlyList<NodeProto> Consumers,
    float Bound
);

/// <summary>Finds <see cref="ChannelGroup"/>s: a map times a positive factor passes Relu, pooling and additions as that multiple.</summary>
internal sealed class ChannelGroups
{
    private static readonly HashSet<string> Homogeneous =
    [
        "Relu",
        "LeakyRelu",
        "MaxPool",
        "AveragePool",
        "GlobalAveragePool",
        "Identity",
        "Dropout",
        "Clip",
    ];

    private readonly FloatNetwork _network;
    private readonly GraphIndex _index;
    private readonly Dictionary<string, string> _parents = new(StringComparer.Ordinal);
    private readonly HashSet<string> _pinned = new(StringComparer.Ordinal);

    private ChannelGroups(FloatNetwork network) => (_network, _index) = (network, network.Index);

    public static IReadOnlyList<ChannelGroup> Find(FloatNetwork network) => new ChannelGroups(network).Run();

    private List<ChannelGroup> Run()
    {
        var bounds = new Dictionary<string, float>(StringComparer.Ordinal);
        // What leaves the network, and the feature, must keep its values; the photo has no producer to scale.
        _pinned.UnionWith(_network.Model.Graph.Output.Select(o => o.Name).Append(_network.Input.Name).Append(_network.Feature));
        // Nodes that do not depend on the photo make weights and shapes, which have no channels to scale.
        foreach (var node in _network.Model.Graph.Node.Where(n => n.Output.Any(_index.Depends)))
            Tie(node, bounds);
        var members = _network
            .Model.Graph.Node.SelectMany(n => n.Output)
            .Where(_index.Depends)
            .GroupBy(Root)
            .ToDictionary(g => g.Key, g => g.ToList());
        // After the loop: a later Union may bring a pinned tensor into a group that is already formed.
        var pinned = _pinned.Select(Root).ToHashSet(StringComparer.Ordinal);
        var groups = new List<ChannelGroup>();
        foreach (var (root, tensors) in members.Where(m => !pinned.Contains(m.Key)))
        {
            var set = tensors.ToHashSet(StringComparer.Ordinal);
            List<NodeProto> producers = [.. _network.Model.Graph.Node.Where(n => n.OpType == "Conv" && set.Contains(n.Output[0]))];
            List<NodeProto> consumers = [.. _network.Model.Graph.Node.Where(n => n.OpType == "Conv" && set.Contains(n.Input[0]))];
            // Both ends are needed: a producer that divides the channels and a consumer that multiplies them back.
            // A sum may add one channel to each of many, which then have no factors of their own.
            var channels = producers.Select(p => Weights(p).Dims[0]).Concat(consumers.Select(InputChannels)).Distinct();
            if (producers.Count > 0 && consumers.Count > 0 && channels.Count() == 1)
                groups.Add(new(tensors, producers, consumers, tensors.Min(t => bounds.GetValueOrDefault(t, float.PositiveInfinity))));
        }

        return groups;
    }

    private void Tie(NodeProto node, Dictionary<string, float> bounds)
    {
        switch (node.OpType)
        {
            // A convolution ends one group at its input and begins another at its output, so the two are not tied.
            case "Conv" when IsScalable(node):
                return;
            case "Clip" when ClipsFromZero(node, out var bound):
                bounds[node.Output[0]] = bound;
                Union(node.Input[0], node.Output[0]);
                return;
            case "Clip":
                break;
            // Both operands of a residual sum must have the same factors, or their sum would not be a multiple.
            case "Add" when node.Input.All(_index.Depends):
                Union(node.Input[0], node.Output[0]);
                Union(node.Input[1], node.Output[0]);
                return;
            case var op when Homogeneous.Contains(op) && node.Output.Count == 1:
                Union(node.Input[0], node.Output[0]);
                return;
        }

        // What this operator makes of a scaled map is unknown.
        _pinned.UnionWith(GraphIndex.Inputs(node).Where(_index.Depends));
        _pinned.UnionWith(node.Output);
    }

    /// <summary>Weights and bias are constants that no other node shares.</summary>
    private bool IsScalable(NodeProto conv) =>
        conv.Input.Skip(1)
            .Where(i => i.Length > 0)
            .All(i => _index.Initializer(i) is not null && BatchNormFolding.Users(_network.Model.Graph, i) == 1)
        && conv.Input.Count > 1
        && _index.Constant(conv.Input[1]) is { Dims.Count: 4 } weights
        // Plain and depthwise convolutions; in other grouped ones an input channel is not at one place of the weights.
        && (conv.Int("group", 1) == 1 || weights.Dims[1] == 1);

    private TensorProto Weights(NodeProto conv) => _index.Constant(conv.Input[1])!;

    private long InputChannels(NodeProto conv) => Weights(conv).Dims[1] * conv.Int("group", 1);

    private bool ClipsFromZero(NodeProto clip, out float bound)
    {
        bound = float.PositiveInfinity;
        if (clip.Input.Count < 2 || _index.Constant(clip.Input[1]) is not { } low || TensorData.Floats(low)[0] != 0)
            return false;
        if (clip.Input.Count > 2 && clip.Input[2].Length > 0)
        {
            if (_index.Constant(clip.Input[2]) is not { } high)
                return false;
            bound = TensorData.Floats(high)[0];
        }

        return true;
    }

    private string Root(string tensor)
    {
        while (_parents.TryGetValue(tensor, out var parent))
            tensor = parent;
        return tensor;
    }

    private void Union(string a, string b)
    {
        (a, b) = (Root(a), Root(b));
        if (a != b)
            _parents[a] = b;
    }
}
