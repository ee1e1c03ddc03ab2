using Google.Protobuf;
using TransferPipeline.Images;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Backbones;

/// <summary>
/// Moves normalization into the graph: the input becomes pixels as <see cref="Preprocessor.RunBytes"/> writes them (uint8, N x height x
/// width x 3, R G B), a quarter of the bytes of float32 on the way to a GPU.
/// </summary>
internal static class PixelInput
{
    /// <summary>
    /// A cut model that takes bytes; the arithmetic is that of <see cref="Preprocessor"/>, operation by operation in float32. Where the
    /// network takes its input in float16 alone, it is the same in float16, into which bytes go without loss, and without the division by
    /// 255: a third to two fifths of the traffic on a GPU.
    /// </summary>
    public static CutModel Apply(CutModel model, Preprocessing preprocessing)
    {
        if (model.TakesBytes)
            return model;
        var proto = model.Model.Clone();
        var made = model.InputName;
        NodeProto[] users = [.. proto.Graph.Node.Where(n => n.Input.Contains(model.InputName))];
        // HalfPrecision left a Cast to float16 as the only user of the input.
        var half = users is [{ OpType: "Cast" } cast] && cast.Int("to", 0) == (long)DataType.Float16;
        if (half)
        {
            made = users[0].Output[0];
            proto.Graph.Node.Remove(users[0]);
        }

        var count = proto.Graph.Node.Count;
        var graph = new GraphWriter(proto);
        var input = graph.Unique("pixels");
        proto.Graph.Input.Remove(proto.Graph.Input.Single(i => i.Name == model.InputName));
        proto.Graph.Input.Add(
            GraphWriter.Declare(input, DataType.Uint8, model.MaxBatch == 1 ? 1 : -1, model.InputHeight, model.InputWidth, 3)
        );
        // The network takes its input under the old name, whose maker is now the last of the new nodes.
        var pixels = Bytes(graph, input, model.Layout, preprocessing);
        GraphEdit.RenameMade(
            proto.Graph,
            half ? NormalizeHalf(graph, pixels, model.Layout, preprocessing) : Normalize(graph, pixels, model.Layout, preprocessing),
            made
        );
        MoveToFront(proto.Graph, count);
        return model with { Model = proto, InputName = input, TakesBytes = true };
    }

    /// <summary>Appends the nodes that bring bytes into the network's order.</summary>
    private static string Bytes(GraphWriter graph, string pixels, TensorLayout layout, Preprocessing p)
    {
        var tensor = pixels;
        if (p.Bgr)
            // Axis 3 are the channels of N x H x W x 3.
            tensor = graph.Node("Gather", [tensor, graph.Constant("bgr", [2L, 1L, 0L], 3)], ("axis", 3L));
        // Transposed as bytes: a quarter of the traffic that floats would be.
        return layout == TensorLayout.Nchw ? graph.Node("Transpose", [tensor], ("perm", new long[] { 0, 3, 1, 2 })) : tensor;
    }

    /// <summary>Appends the nodes from bytes to normalized float32; the last one makes the network's input.</summary>
    private static string Normalize(GraphWriter graph, string bytes, TensorLayout layout, Preprocessing p)
    {
        var tensor = graph.Node("Cast", [bytes], ("to", (long)DataType.Float));
        if (p.Divisor != 0)
        {
            tensor = graph.Node("Sub", [tensor, graph.Constant("offset", [(float)p.Offset])]);
            return graph.Node("Div", [tensor, graph.Constant("divisor", [(float)p.Divisor])]);
        }

        // Three operations and not one factor and one offset: each rounds to float32 as Preprocessor's do, so vectors are the same.
        tensor = graph.Node("Div", [tensor, graph.Constant("levels", [255f])]);
        tensor = graph.Node("Sub", [tensor, graph.Constant("mean", PerChannel(p.Mean, p.Bgr, v => (float)v), Shape(layout))]);
        return graph.Node("Div", [tensor, graph.Constant("std", PerChannel(p.Std, p.Bgr, v => (float)v), Shape(layout))]);
    }

    /// <summary>
    /// Means and deviations count in levels, 0 to 255. Where they are no whole numbers, rounding them moves a value by up to 0.0007
    /// deviations.
    /// </summary>
    private static string NormalizeHalf(GraphWriter graph, string bytes, TensorLayout layout, Preprocessing p)
    {
        var tensor = graph.Node("Cast", [bytes], ("to", (long)DataType.Float16));
        if (p.Divisor != 0)
        {
            tensor = graph.Node("Sub", [tensor, graph.Constant("offset", [(Half)p.Offset])]);
            return graph.Node("Div", [tensor, graph.Constant("divisor", [(Half)p.Divisor])]);
        }

        // Means and deviations are of levels, 255 times those of values up to 1, so that no level is divided first.
        tensor = graph.Node("Sub", [tensor, graph.Constant("mean", PerChannel(p.Mean, p.Bgr, v => (Half)(255 * v)), Shape(layout))]);
        return graph.Node("Div", [tensor, graph.Constant("std", PerChannel(p.Std, p.Bgr, v => (Half)(255 * v)), Shape(layout))]);
    }

    private static T[] PerChannel<T>(IReadOnlyList<double> values, bool bgr, Func<double, T> convert)
    {
        T[] converted = [.. values.Select(convert)];
        if (bgr)
            Array.Reverse(converted);
        return converted;
    }

    private static long[] Shape(TensorLayout layout) => layout == TensorLayout.Nchw ? [1, 3, 1, 1] : [1, 1, 1, 3];

    private static void MoveToFront(GraphProto graph, int first)
    {
        var all = graph.Node.ToList();
        graph.Node.Clear();
        graph.Node.AddRange(all.Skip(first));
        graph.Node.AddRange(all.Take(first));
    }
}
