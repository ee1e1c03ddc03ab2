using System.Globalization;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Backbones;

/// <summary>
/// Converts a cut model to fp16: weights and the tensors between layers are float16, the input and the features stay as they are.
/// Operators that need more range or longer sums than float16 has, or that have no float16 kernel on GPUs, keep float32 between casts.
/// </summary>
internal sealed class HalfPrecision
{
    /// <summary>
    /// Their CUDA kernels take float16 (verified with ONNX Runtime 1.29 for each, opsets 9 to 22) and, where they sum, accumulate in
    /// float32.
    /// </summary>
    private static readonly HashSet<string> HalfOperators =
    [
        "Conv",
        "ConvTranspose",
        "Gemm",
        "MatMul",
        "BatchNormalization",
        "LayerNormalization",
        "Softmax",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Neg",
        "Abs",
        "Sqrt",
        "Erf",
        "Min",
        "Max",
        "Where",
        "Identity",
        "Dropout",
        "Relu",
        "LeakyRelu",
        "PRelu",
        "Sigmoid",
        "HardSigmoid",
        "HardSwish",
        "Tanh",
        "Elu",
        "Gelu",
        "Clip",
        "AveragePool",
        "MaxPool",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "Concat",
        "Split",
        "Slice",
        "Reshape",
        "Flatten",
        "Squeeze",
        "Unsqueeze",
        "Transpose",
        "Pad",
        "Gather",
        "Expand",
        "Tile",
        "DepthToSpace",
        "SpaceToDepth",
    ];

    private readonly GraphProto _graph;
    private readonly GraphWriter _writer;
    private readonly Dictionary<string, TensorElementType> _types;
    private readonly Dictionary<string, TensorProto> _initializers;
    private readonly Dictionary<string, string> _half = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _float = new(StringComparer.Ordinal);
    private readonly List<NodeProto> _nodes = [];

    private HalfPrecision(ModelProto model, Dictionary<string, TensorElementType> types)
    {
        (_graph, _writer, _types) = (model.Graph, new(model), types);
        _initializers = _graph.Initializer.ToDictionary(i => i.Name, StringComparer.Ordinal);
    }

    /// <summary>Weights that were beyond 65504, the largest float16, and are it now.</summary>
    public int Clamped { get; private set; }

    /// <summary>The model in fp16; what the user should know goes to <paramref name="message"/>.</summary>
    /// <exception cref="UsageException">The model is quantized or has control flow.</exception>
    public static CutModel Convert(CutModel model, Action<string> message)
    {
        // 1. One file without external data, constants and batch normalizations folded in float32.
        var proto = ModelProto.Parser.ParseFrom(GraphSimplifier.Simplify(model.SerializeWithWeights()));
        Require(proto.Graph);
        // 2. The types of all tensors, which decide where casts stand.
        var conversion = new HalfPrecision(proto, Types(proto));
        // 3. Each node in float16 where its kernel takes it, else in float32 between casts.
        conversion.Run();
        if (conversion.Clamped > 0)
            message(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"fp16: {conversion.Clamped} weights are beyond 65504, the largest value of fp16, and were set to it: compare "
                        + $"with --precision fp32 by 'transfer features drift'"
                )
            );
        return model with { Model = proto, ExternalBytes = 0 };
    }

    private static void Require(GraphProto graph)
    {
        foreach (var node in graph.Node)
        {
            if (node.IsQuantized())
                Throw.Usage(
                    $"precision fp16 does not suit a quantized backbone (it has {node.OpType} layers): use fp32, which runs it in its "
                        + $"own 8 bits"
                );
            if (node.Attribute.Any(a => a.G is not null || a.Graphs.Count > 0))
                Throw.Usage($"precision fp16: the backbone has control flow ({node.OpType}), which is not converted: use fp32");
        }
    }

    /// <summary>The type of every tensor, as ONNX Runtime infers it.</summary>
    private static Dictionary<string, TensorElementType> Types(ModelProto model)
    {
        var all = model.Clone();
        all.Graph.Output.Clear();
        // Every tensor becomes an output, so that the session reports its inferred type. Without optimizations none is fused away.
        all.Graph.Output.AddRange(
            all.Graph.Node.SelectMany(n => n.Output).Where(o => o.Length > 0).Select(o => new ValueInfoProto { Name = o })
        );
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        using var session = new InferenceSession(all.ToByteArray(), options);
        var types = session
            .OutputMetadata.Where(o => o.Value.IsTensor)
            .ToDictionary(o => o.Key, o => o.Value.ElementDataType, StringComparer.Ordinal);
        foreach (var input in session.InputMetadata)
            types[input.Key] = input.Value.ElementDataType;
        foreach (var initializer in model.Graph.Initializer)
            // Only float32 is converted; what else a weight is does not matter here.
            types[initializer.Name] = (DataType)initializer.DataType == DataType.Float ? TensorElementType.Float : TensorElementType.Int64;
        return types;
    }

    private void Run()
    {
        var outputs = _graph.Output.Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var input in _graph.Input.Where(i => IsFloat(i.Name)))
            _float[input.Name] = input.Name;
        foreach (var node in _graph.Node)
        {
            var involved = node.Input.Concat(node.Output).Any(IsFloat);
            // Nodes of other domains may have no float16 kernel.
            var half = involved && node.Domain is "" or "ai.onnx" && (IsHalf(node) || IsCastToFloat(node));
            if (!involved)
                _nodes.Add(node);
            else if (half)
                AddHalf(node, outputs);
            else
                AddFloat(node);
        }

        _graph.Node.Clear();
        _graph.Node.AddRange(_nodes);
        // Float32 weights that only float16 nodes took are replaced by their float16 form.
        var used = _nodes.SelectMany(n => n.Input).Concat(outputs).ToHashSet(StringComparer.Ordinal);
        foreach (var unused in _graph.Initializer.Where(i => !used.Contains(i.Name)).ToList())
            _graph.Initializer.Remove(unused);
        // Stored shapes name float32.
        _graph.ValueInfo.Clear();
    }

    private void AddHalf(NodeProto node, HashSet<string> outputs)
    {
        for (var i = 0; i < node.Input.Count; i++)
        {
            if (IsFloat(node.Input[i]))
                node.Input[i] = AsHalf(node.Input[i]);
        }

        if (IsCastToFloat(node))
            node.Attribute.First(a => a.Name == "to").I = (long)DataType.Float16;
        var finals = new List<(string Half, string Name)>();
        for (var i = 0; i < node.Output.Count; i++)
        {
            var name = node.Output[i];
            if (!IsFloat(name))
                continue;
            _half[name] = name;
            // An output keeps its name and float32: the float16 tensor gets another name, and a cast makes the output.
            if (!outputs.Contains(name))
                continue;
            node.Output[i] = _half[name] = _writer.Unique(name + "_fp16");
            finals.Add((node.Output[i], name));
        }

        _nodes.Add(node);
        // After the node that makes them: ONNX wants the order of execution.
        foreach (var (from, to) in finals)
        {
            _nodes.Add(Cast(from, to, DataType.Float));
            _float[to] = to;
        }
    }

    private void AddFloat(NodeProto node)
    {
        for (var i = 0; i < node.Input.Count; i++)
        {
            if (IsFloat(node.Input[i]))
                node.Input[i] = AsFloat(node.Input[i]);
        }

        foreach (var name in node.Output.Where(IsFloat))
            _float[name] = name;
        _nodes.Add(node);
    }

    private string AsHalf(string tensor)
    {
        // Each tensor is cast once, however many nodes take it.
        if (_half.TryGetValue(tensor, out var known))
            return known;
        var name = _writer.Unique(tensor + "_fp16");
        if (_initializers.TryGetValue(tensor, out var weights))
            _graph.Initializer.Add(HalfWeights(weights, name));
        else
            _nodes.Add(Cast(_float[tensor], name, DataType.Float16));
        return _half[tensor] = name;
    }

    private string AsFloat(string tensor)
    {
        if (_initializers.ContainsKey(tensor))
            return tensor;
        if (_float.TryGetValue(tensor, out var known))
            return known;
        var name = _writer.Unique(tensor + "_fp32");
        _nodes.Add(Cast(_half[tensor], name, DataType.Float));
        return _float[tensor] = name;
    }

    private NodeProto Cast(string from, string to, DataType type)
    {
        var cast = new NodeProto { OpType = "Cast", Name = _writer.Unique("Cast") };
        cast.Input.Add(from);
        cast.Output.Add(to);
        cast.Attribute.Add(OnnxAttributes.Create("to", (long)type));
        return cast;
    }

    private TensorProto HalfWeights(TensorProto weights, string name)
    {
        var values = TensorData.Floats(weights);
        var halves = new Half[values.Length];
        var largest = (float)Half.MaxValue;
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i];
            // Limits such as Clip's are written as the largest float or infinity and mean "none".
            // Limits beyond 1e38 are not counted: they are no weights that lose something.
            if (float.IsFinite(value) && Math.Abs(value) > largest)
            {
                Clamped += Math.Abs(value) < 1e38f ? 1 : 0;
                value = float.CopySign(largest, value);
            }

            halves[i] = (Half)value;
        }

        return TensorData.Of(name, halves, [.. weights.Dims]);
    }

    /// <summary>The CUDA kernel of the Clip whose limits are attributes or that came before opset 12 takes float32 only.</summary>
    private bool IsHalf(NodeProto node) => HalfOperators.Contains(node.OpType) && (node.OpType != "Clip" || _writer.Opset >= 12);

    private bool IsCastToFloat(NodeProto node) => node.OpType == "Cast" && node.Int("to", 0) == (long)DataType.Float;

    private bool IsFloat(string tensor) => tensor.Length > 0 && _types.GetValueOrDefault(tensor) == TensorElementType.Float;
}
