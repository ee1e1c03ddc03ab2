using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tuning;

/// <summary>
/// Which constants of a graph are weights. Masks and folded constants look like weights and are none: only what enters a layer with
/// weights, a normalization, the product and sum behind one, or the tokens of a transformer counts.
/// </summary>
internal sealed partial class TrainableWeights
{
    private static readonly string[] Layers = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

    private static readonly string[] Normalizations =
    [
        "BatchNormalization",
        "LayerNormalization",
        "InstanceNormalization",
        "GroupNormalization",
        "RMSNormalization",
    ];

    /// <summary>Operators that move values or scale all of them alike.</summary>
    private static readonly string[] Movers = ["Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "Dropout"];

    private readonly Dictionary<string, NodeProto> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorProto> _initializers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _dependent;
    private readonly Dictionary<string, TunedParameter> _found = new(StringComparer.Ordinal);

    private TrainableWeights(GraphProto graph, IEnumerable<string> inputs)
    {
        foreach (var initializer in graph.Initializer)
            _initializers[initializer.Name] = initializer;
        _dependent = inputs.ToHashSet(StringComparer.Ordinal);
        foreach (var node in graph.Node)
        {
            foreach (var output in node.Output.Where(o => o.Length > 0))
                _producers[output] = node;
            foreach (var input in node.Input)
                (_users.TryGetValue(input, out var users) ? users : _users[input] = []).Add(node);
            // As in GraphIndex: what only reads a shape does not depend on the photo.
            if (node.OpType is not ("Shape" or "Size") && node.Input.Any(_dependent.Contains))
                _dependent.UnionWith(node.Output);
        }
    }

    /// <summary>
    /// The weights and running statistics above a cut, in the order of the nodes that take them. Equal weights that the exporter stored
    /// once count once for each Identity that copies them.
    /// </summary>
    /// <param name="inputs">The cut's tensors.</param>
    public static IReadOnlyList<TunedParameter> Find(GraphProto graph, IEnumerable<string> inputs)
    {
        var weights = new TrainableWeights(graph, inputs);
        foreach (var node in graph.Node.Where(n => n.Output.Any(weights._dependent.Contains)))
            weights.Visit(node);
        return [.. weights._found.Values];
    }

    private void Visit(NodeProto node)
    {
        if (Layers.Contains(node.OpType))
        {
            // All inputs: a product may have its weights on either side.
            foreach (var input in node.Input)
                Add(input, isStatistic: false);
        }
        else if (Normalizations.Contains(node.OpType) || node.OpType == "PRelu")
        {
            for (var i = 1; i < node.Input.Count; i++)
                // Inputs 3 and 4 of a BatchNormalization are its running mean and variance.
                Add(node.Input[i], isStatistic: node.OpType == "BatchNormalization" && i > 2);
        }
        else if (node.OpType is "Add" or "Mul" or "Sub" && node.Input.Count == 2)
        {
            for (var i = 0; i < 2; i++)
            {
                // A bias or scale behind a layer, as exporters write what was folded.
                // Where both operands depend on the photo it is a residual sum.
                if (IsVector(node.Input[i]) && _dependent.Contains(node.Input[1 - i]) && IsLayerOutput(node.Input[1 - i]))
                    Add(node.Input[i], isStatistic: false);
            }

            if (node.OpType == "Add")
                AddTables(node);
        }
        else if (node.OpType == "Concat")
        {
            AddTokens(node);
        }
    }

    /// <summary>All float constants from which a tensor is computed, unless it depends on the photo.</summary>
    private void Add(string tensor, bool isStatistic)
    {
        if (tensor.Length == 0 || _dependent.Contains(tensor))
            return;
        if (Constant(tensor) is { } constant)
        {
            // A constant without axes is a factor that the exporter computed.
            if (constant.DataType == (int)DataType.Float && constant.Dims.Count > 0)
                _found.TryAdd(tensor, new(tensor, [.. constant.Dims], isStatistic));
        }
        else if (_producers.TryGetValue(tensor, out var node) && node.OpType is not ("Shape" or "Size"))
        {
            // What a Cast to another type or a quantization makes of weights is not found: such graphs are refused.
            foreach (var input in node.Input)
                Add(input, isStatistic);
        }
    }

    /// <summary>The value of an initializer, of a Constant node, or of an Identity of one.</summary>
    private TensorProto? Constant(string tensor)
    {
        if (_initializers.TryGetValue(tensor, out var initializer))
            return initializer;
        return _producers.GetValueOrDefault(tensor) switch
        {
            { OpType: "Constant" } node => node.Attribute("value")?.T,
            { OpType: "Identity" } node => Constant(node.Input[0]),
            _ => null,
        };
    }

    /// <summary>A constant with one value per channel: no scalar, and all axes but one are 1.</summary>
    private bool IsVector(string tensor)
    {
        while (!_initializers.ContainsKey(tensor) && _producers.GetValueOrDefault(tensor) is { } node && Movers.Contains(node.OpType))
            tensor = node.Input[0];
        // Position tables and masks have more than one axis that is longer than 1 (AddTables).
        return Constant(tensor) is { } constant && constant.DataType == (int)DataType.Float && constant.Dims.Count(d => d > 1) == 1;
    }

    /// <summary>A layer or normalization made it, seen through moves, sums and products with constants.</summary>
    private bool IsLayerOutput(string tensor)
    {
        while (_producers.GetValueOrDefault(tensor) is { } node)
        {
            if (Layers.Contains(node.OpType) || Normalizations.Contains(node.OpType) || IsNormalization(node))
                return true;
            if (Movers.Contains(node.OpType))
                tensor = node.Input[0];
            // With both operands from the photo it is a residual sum, and its constants are not a bias of one layer.
            else if (node.OpType is "Add" or "Mul" or "Sub" && node.Input.Where(_dependent.Contains).ToList() is [var only])
                tensor = only;
            else
                return false;
        }

        return false;
    }

    /// <summary>The last step of a normalization in parts: x / sqrt(v), or x * (1 / sqrt(v)).</summary>
    private bool IsNormalization(NodeProto node)
    {
        return node.OpType switch
        {
            "Div" => Op(node.Input[1]) == "Sqrt",
            "Mul" => node.Input.Any(i => Op(i) == "Reciprocal" && Op(_producers[i].Input[0]) == "Sqrt"),
            _ => false,
        };
        string? Op(string tensor) => _producers.GetValueOrDefault(tensor)?.OpType;
    }
}
