using Google.Protobuf;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Quantization;

/// <summary>
/// Writes a quantized network as standard ONNX: QuantizeLinear and DequantizeLinear around what is computed in 8 bits, weights and
/// biases as integers behind DequantizeLinear.
/// </summary>
internal sealed class QdqWriter
{
    private readonly QuantizationPlan _plan;
    private readonly GraphIndex _index;
    private readonly Dictionary<string, QuantizedRange> _ranges;
    private readonly bool _reduced;
    private readonly ModelProto _model;
    private readonly GraphWriter _writer;
    private readonly List<NodeProto> _nodes = [];
    private readonly Dictionary<string, string> _dequantized = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Scale, string ZeroPoint)> _parameters = new(StringComparer.Ordinal);

    private QdqWriter(FloatNetwork network, QuantizationPlan plan, Dictionary<string, QuantizedRange> ranges, bool reduced)
    {
        (_plan, _index, _ranges, _reduced) = (plan, network.Index, ranges, reduced);
        // A clone, since one network is written many times, each time with other layers in float.
        _model = network.Model.Clone();
        _writer = new(_model);
    }

    /// <param name="network">The float network.</param>
    /// <param name="ranges">Of the plan's tensors.</param>
    /// <param name="reduced">Weights are such that two products always fit into 16 bits.</param>
    /// <param name="means">Means of the tensors' channels, for bias correction; null leaves it out.</param>
    public static ModelProto Write(
        FloatNetwork network,
        QuantizationPlan plan,
        Dictionary<string, QuantizedRange> ranges,
        bool reduced,
        IReadOnlyDictionary<string, double[]>? means
    )
    {
        var writer = new QdqWriter(network, plan, ranges, reduced);
        writer.Run(network, means);
        return writer._model;
    }

    private void Run(FloatNetwork network, IReadOnlyDictionary<string, double[]>? means)
    {
        var quantized = _plan.Tensors.ToHashSet(StringComparer.Ordinal);
        // The photo has no node behind which its pair could stand.
        if (quantized.Contains(network.Input.Name))
            AddPair(network.Input.Name);
        var folded = _plan.Folded.Values.ToHashSet(ReferenceEqualityComparer.Instance);
        foreach (var original in network.Model.Graph.Node)
        {
            if (folded.Contains(original))
                continue;
            var node = original.Clone();
            if (_plan.Folded.TryGetValue(original, out var activation))
                // The node takes over the activation's output: everybody behind it reads that name.
                node.Output[0] = activation.Output[0];
            for (var i = 0; i < node.Input.Count; i++)
                node.Input[i] = _dequantized.GetValueOrDefault(node.Input[i], node.Input[i]);
            if (_plan.HidesProduct(original))
            {
                // Max with 0 is the same function, without the pattern that ONNX Runtime misreads.
                node.OpType = "Max";
                node.Input.Add(_writer.Constant("zero", [0f]));
            }

            if (_plan.Nodes.Contains(original) && QuantizationPlan.HasWeights(original))
                AddWeights(node, Layer.Of(_index, original), means);
            _nodes.Add(node);
            // Directly behind the node: ONNX Runtime fuses a node with the pairs only where they are adjacent.
            foreach (var output in node.Output.Where(quantized.Contains))
                AddPair(output);
        }

        var graph = _model.Graph;
        graph.Node.Clear();
        graph.Node.AddRange(_nodes);
        var used = _nodes.SelectMany(GraphIndex.Inputs).ToHashSet(StringComparer.Ordinal);
        // Float weights that integers have replaced: left in, the file would be five times as large as it has to be.
        foreach (var unused in graph.Initializer.Where(i => !used.Contains(i.Name)).ToList())
            graph.Initializer.Remove(unused);
        // Float weights may also be the values of Constant nodes.
        foreach (var unused in graph.Node.Where(n => n.OpType == "Constant" && !used.Contains(n.Output[0])).ToList())
            graph.Node.Remove(unused);
    }

    private void AddPair(string tensor)
    {
        // Tensors that pass levels on share their source's constants: ONNX Runtime needs equal levels on both sides.
        var (scale, zeroPoint) = Parameters(_plan.RangeOf(tensor));
        var (levels, values) = (_writer.Unique(tensor + "_levels"), _writer.Unique(tensor + "_dequantized"));
        _nodes.Add(Node("QuantizeLinear", [tensor, scale, zeroPoint], levels));
        _nodes.Add(Node("DequantizeLinear", [levels, scale, zeroPoint], values));
        _dequantized[tensor] = values;
    }

    private (string Scale, string ZeroPoint) Parameters(string tensor)
    {
        if (_parameters.TryGetValue(tensor, out var known))
            return known;
        var range = _ranges[tensor];
        var scale = _writer.Constant(tensor + "_scale", [range.Scale]);
        return _parameters[tensor] = (scale, Add(TensorData.Of(_writer.Unique(tensor + "_zero"), [range.ZeroPoint], [])));
    }

    private void AddWeights(NodeProto node, Layer layer, IReadOnlyDictionary<string, double[]>? means)
    {
        var input = _plan.RangeOf(layer.Node.Input[0]);
        var inputScale = _ranges[input].Scale;
        // With the layer's own bias and not the corrected one: the correction is computed from these rounded weights.
        var weights = WeightQuantizer.Quantize(layer.Weights, layer.Layout, layer.Bias, inputScale, _reduced && layer.AddsPairs);
        var name = layer.Node.Input[1];
        // The weights' zero points are 0, since their levels are symmetric; DequantizeLinear still wants one per scale.
        var (scale, zero) = (
            _writer.Constant(name + "_scale", weights.Scales, weights.Scales.Length),
            Add(TensorData.Of(_writer.Unique(name + "_zero"), new sbyte[weights.Scales.Length], [weights.Scales.Length]))
        );
        var values = Add(TensorData.Of(_writer.Unique(name + "_int8"), weights.Values, layer.Dims));
        node.Input[1] = Dequantize(values, scale, zero, layer.Layout.Axis);
        var bias = means is null ? layer.Bias : BiasCorrection.Correct(layer, weights, means[layer.Node.Input[0]]);
        if (bias.Length == 0)
            return;
        if (node.OpType == "MatMul")
            throw new InvalidOperationException("MatMul has no bias");
        // The unit of the sums of products: ONNX Runtime adds the int32 bias to them as it is and assumes this scale.
        float[] sums = [.. weights.Scales.Select(s => s * inputScale)];
        var rounded = Add(
            TensorData.Of(_writer.Unique(name + "_bias"), WeightQuantizer.Bias(bias, weights.Scales, inputScale), [bias.Length])
        );
        var sumScale = _writer.Constant(name + "_bias_scale", sums, sums.Length);
        var sumZero = Add(TensorData.Of(_writer.Unique(name + "_bias_zero"), new int[sums.Length], [sums.Length]));
        // An empty name may stand in the place of a missing bias.
        while (node.Input.Count > 2)
            node.Input.RemoveAt(2);
        node.Input.Add(Dequantize(rounded, sumScale, sumZero, 0));
    }

    private string Dequantize(string values, string scale, string zeroPoint, int axis)
    {
        var output = _writer.Unique(values + "_dequantized");
        var node = Node("DequantizeLinear", [values, scale, zeroPoint], output);
        // Without it DequantizeLinear takes axis 1, and a Conv has its output channels on axis 0.
        node.Attribute.Add(OnnxAttributes.Create("axis", (long)axis));
        _nodes.Add(node);
        return output;
    }

    private NodeProto Node(string op, string[] inputs, string output)
    {
        var node = new NodeProto { OpType = op, Name = _writer.Unique(output + "_" + op) };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        return node;
    }

    private string Add(TensorProto tensor)
    {
        _model.Graph.Initializer.Add(tensor);
        return tensor.Name;
    }
}
