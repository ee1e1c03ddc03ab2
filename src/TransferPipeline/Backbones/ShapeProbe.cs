using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>Learns the shapes of tensors by running a graph once without its weights: ONNX Runtime knows every operator's rule.</summary>
internal static class ShapeProbe
{
    /// <summary>Type and shape of each of <paramref name="tensors"/> for the batch that the file fixes, or one photo.</summary>
    /// <exception cref="BadInputException">ONNX Runtime cannot load or run the model.</exception>
    public static Dictionary<string, ProbedTensor> Run(
        string file,
        ModelProto model,
        GraphIndex index,
        BackboneInput input,
        IReadOnlyCollection<string> tensors
    )
    {
        var cut = CutBuilder.WithFloatInput(GraphPruner.Cut(model, index, tensors), input);
        Randomness.MakeConstant(cut);
        foreach (var tensor in tensors)
            cut.Graph.Output.Add(new ValueInfoProto { Name = tensor });
        var shape = input.Shape(input.Batch ?? 1);
        // Shapes do not depend on the weights' values, and zeros cost no reading.
        if (WithoutWeights(cut) is { } light)
        {
            try
            {
                using var quick = new Probe(light, input.Name, optimize: false);
                return quick.Run(Probe.Pixels(input, input.Batch ?? 1), shape, values: false);
            }
            catch (OnnxRuntimeException)
            {
                // Some operators insist on stored weights; then they are loaded, and what fails below is the model's own fault.
            }
        }

        using var probe = CutBuilder.Load(file, cut, input, optimize: false);
        return CutBuilder.Run(file, probe, Probe.Pixels(input, input.Batch ?? 1), shape, values: false);
    }

    /// <summary>
    /// The model with zeros made on the fly in the place of large weights; null where ConstantOfShape (opset 9) is unknown.
    /// </summary>
    private static ModelProto? WithoutWeights(ModelProto model)
    {
        var graph = new GraphWriter(model);
        if (graph.Opset < 9)
            return null;
        var light = model.Clone();
        foreach (var tensor in light.Graph.Initializer.Where(t => t.DataLocation == TensorProto.Types.DataLocation.External).ToList())
        {
            var zero = new TensorProto
            {
                DataType = tensor.DataType,
                Dims = { 1 },
                RawData = ByteString.CopyFrom(new byte[ElementSize(tensor)]),
            };
            var node = new NodeProto { OpType = "ConstantOfShape", Name = graph.Unique(tensor.Name + "_zeros") };
            var dims = TensorData.Of(graph.Unique(tensor.Name + "_shape"), [.. tensor.Dims], [tensor.Dims.Count]);
            node.Input.Add(dims.Name);
            node.Output.Add(tensor.Name);
            node.Attribute.Add(OnnxAttributes.Create("value", zero));
            // At the front: nodes that take the weight may be the first of the graph.
            light.Graph.Node.Insert(0, node);
            light.Graph.Initializer.Remove(tensor);
            light.Graph.Initializer.Add(dims);
        }

        return light;
    }

    private static int ElementSize(TensorProto tensor) =>
        // From the bytes, since TensorProto has no size of its element type.
        (int)Math.Max(1, TensorData.Location(tensor).Length / Math.Max(1, TensorData.Count(tensor)));
}
