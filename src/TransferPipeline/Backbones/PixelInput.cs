using Google.Protobuf;
using TransferPipeline.Backbones.Onnx;
using TransferPipeline.Images;
using DataType = TransferPipeline.Backbones.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Backbones;

/// <summary>
/// Moves normalization into the graph: the input becomes pixels as <see cref="Preprocessor.RunBytes"/> writes them (uint8, N x height x
/// width x 3, R G B), a quarter of the bytes of float32 on the way to a card.
/// </summary>
internal static class PixelInput
{
    /// <summary>A cut model that takes bytes; the arithmetic is that of <see cref="Preprocessor"/>, operation by operation in float32.</summary>
    public static CutModel Apply(CutModel model, Preprocessing preprocessing)
    {
        if (model.TakesBytes)
            return model;
        var proto = ModelProto.Parser.ParseFrom(model.Onnx);
        var count = proto.Graph.Node.Count;
        var graph = new GraphWriter(proto);
        var input = graph.Unique("pixels");
        proto.Graph.Input.Remove(proto.Graph.Input.Single(i => i.Name == model.InputName));
        proto.Graph.Input.Add(GraphWriter.Declare(input, DataType.Uint8, model.MaxBatch == 1 ? 1 : -1, model.InputHeight, model.InputWidth, 3));
        var normalized = Normalize(graph, input, model.Layout, preprocessing);
        GraphEdit.RenameMade(proto.Graph, normalized, model.InputName);
        MoveToFront(proto.Graph, count);
        return model with { Onnx = proto.ToByteArray(), InputName = input, TakesBytes = true };
    }

    /// <summary>Appends the nodes from bytes to the network's input; the last one makes it.</summary>
    private static string Normalize(GraphWriter graph, string pixels, TensorLayout layout, Preprocessing p)
    {
        var tensor = pixels;
        if (p.Bgr)
            tensor = graph.Node("Gather", [tensor, graph.Constant("bgr", [2L, 1L, 0L], 3)], ("axis", 3L));
        // Transposed as bytes: a quarter of the traffic that floats would be.
        if (layout == TensorLayout.Nchw)
            tensor = graph.Node("Transpose", [tensor], ("perm", new long[] { 0, 3, 1, 2 }));
        tensor = graph.Node("Cast", [tensor], ("to", (long)DataType.Float));
        if (p.Divisor != 0)
        {
            tensor = graph.Node("Sub", [tensor, graph.Constant("offset", [(float)p.Offset])]);
            return graph.Node("Div", [tensor, graph.Constant("divisor", [(float)p.Divisor])]);
        }

        tensor = graph.Node("Div", [tensor, graph.Constant("levels", [255f])]);
        tensor = graph.Node("Sub", [tensor, PerChannel(graph, "mean", p.Mean, p.Bgr, layout)]);
        return graph.Node("Div", [tensor, PerChannel(graph, "std", p.Std, p.Bgr, layout)]);
    }

    private static string PerChannel(GraphWriter graph, string hint, IReadOnlyList<double> values, bool bgr, TensorLayout layout)
    {
        float[] floats = [.. values.Select(v => (float)v)];
        if (bgr)
            Array.Reverse(floats);
        return layout == TensorLayout.Nchw ? graph.Constant(hint, floats, 1, 3, 1, 1) : graph.Constant(hint, floats, 1, 1, 1, 3);
    }

    private static void MoveToFront(GraphProto graph, int first)
    {
        var all = graph.Node.ToList();
        graph.Node.Clear();
        graph.Node.AddRange(all.Skip(first));
        graph.Node.AddRange(all.Take(first));
    }
}
