using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Platform;

namespace TransferPipeline.Onnx;

/// <summary>
/// Hands graphs to ONNX Runtime while their weights stay in files. ONNX Runtime maps external data, and drops the mapping of a weight once
/// a kernel has packed it into a form of its own; weights inside the message it would hold two or three times.
/// </summary>
internal static class MappedWeights
{
    /// <summary>
    /// Above it a matrix is loaded in slices. Packing holds a weight twice, and VGG16's first Gemm has 411 of the network's 553 MB.
    /// </summary>
    private const long SliceBytes = 32 << 20;

    /// <summary>Rows of a slice are a multiple of it, so that all slices but the last run the same kernels as the whole.</summary>
    private const int RowStep = 64;

    /// <param name="model">Its external data are named by full paths.</param>
    /// <param name="slice">Load large matrices in slices; for devices whose kernels pack weights.</param>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the graph.</exception>
    public static InferenceSession CreateSession(ModelProto model, SessionOptions options, bool slice)
    {
        var files = model.Graph.Initializer.Where(IsExternal).Select(t => TensorData.Location(t).File).Distinct().ToList();
        // The shortest folder is the only one that can contain all others.
        var folder = files.Select(f => Path.GetDirectoryName(f)!).MinBy(f => f.Length);
        // ONNX Runtime takes locations relative to one folder, and none outside of it.
        if (folder is null || !files.TrueForAll(f => FileNames.IsInside(folder, f)))
            return new(ModelSerializer.Serialize(model), options);
        options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", folder);
        var mapped = GraphPruner.Shell(model);
        mapped.Graph = GraphPruner.WithoutInitializers(model.Graph);
        mapped.Graph.Initializer.AddRange(model.Graph.Initializer.Select(t => RelativeTo(folder, t)));
        if (slice)
            Slice(mapped);
        // Small enough for protobuf's own way: large weights are references.
        return new(mapped.ToByteArray(), options);
    }

    public static bool IsExternal(TensorProto tensor) => tensor.DataLocation == TensorProto.Types.DataLocation.External;

    private static TensorProto RelativeTo(string folder, TensorProto tensor)
    {
        if (!IsExternal(tensor))
            return tensor;
        var (relative, (file, offset, length)) = (tensor.Clone(), TensorData.Location(tensor));
        TensorData.SetLocation(relative, Path.GetRelativePath(folder, file), offset, length);
        return relative;
    }

    /// <summary>
    /// Replaces each Gemm with a large weight of outputs x inputs by several, each with some of the outputs, and a Concat. A value's sum is
    /// not touched, and a slice is a range of the same file.
    /// </summary>
    private static void Slice(ModelProto model)
    {
        var graph = model.Graph;
        var nodes = graph.Node.ToList();
        var writer = new GraphWriter(model);
        var initializers = graph.Initializer.ToDictionary(i => i.Name, StringComparer.Ordinal);
        graph.Node.Clear();
        foreach (var node in nodes)
        {
            if (IsLargeGemm(node, initializers))
                AddSlices(writer, node, initializers);
            else
                graph.Node.Add(node);
        }

        // The replaced weight would stand in the graph beside its slices, and ONNX Runtime warns of initializers that nobody uses.
        var used = graph.Node.SelectMany(GraphIndex.Inputs).ToHashSet(StringComparer.Ordinal);
        foreach (var unused in graph.Initializer.Where(i => !used.Contains(i.Name)).ToList())
            graph.Initializer.Remove(unused);
    }

    private static bool IsLargeGemm(NodeProto node, Dictionary<string, TensorProto> initializers) =>
        node.OpType == "Gemm"
        && node.Input.Count > 1
        // With transB the weight is outputs x inputs, so that some outputs are consecutive bytes of the file.
        && node.Int("transB", 0) != 0
        && initializers.TryGetValue(node.Input[1], out var weights)
        && IsExternal(weights)
        && weights.Dims.Count == 2
        && TensorData.Location(weights).Length > SliceBytes
        && weights.Dims[0] > RowStep
        && (
            // The bias is cut by outputs as well; one that broadcasts in another form cannot be.
            node.Input.Count < 3
            || (
                initializers.TryGetValue(node.Input[2], out var bias)
                && bias.Dims.Count == 1
                && bias.Dims[0] == weights.Dims[0]
                && IsExternal(bias)
            )
        );

    private static void AddSlices(GraphWriter writer, NodeProto gemm, Dictionary<string, TensorProto> initializers)
    {
        var rows = initializers[gemm.Input[1]].Dims[0];
        // Bytes of one output: the file knows no element type here, and none is needed.
        var perRow = TensorData.Location(initializers[gemm.Input[1]]).Length / rows;
        var step = Math.Max(RowStep, SliceBytes / perRow / RowStep * RowStep);
        var concat = new NodeProto
        {
            OpType = "Concat",
            Name = writer.Unique(gemm.Name + "_slices"),
            Output = { gemm.Output[0] },
        };
        // The result of a Gemm is N x outputs.
        concat.Attribute.Add(OnnxAttributes.Create("axis", 1L));
        // Gemm's alpha, beta and transA are cloned with the node and hold for each slice as for the whole.
        for (var first = 0L; first < rows; first += step)
        {
            var part = gemm.Clone();
            part.Name = writer.Unique(gemm.Name + "_slice");
            part.Output[0] = writer.Unique(gemm.Output[0] + "_slice");
            for (var input = 1; input < gemm.Input.Count; input++)
                part.Input[input] = AddRows(writer, initializers[gemm.Input[input]], first, Math.Min(step, rows - first));
            concat.Input.Add(part.Output[0]);
            writer.Graph.Node.Add(part);
        }

        writer.Graph.Node.Add(concat);
    }

    /// <summary>An initializer that is some rows of another, at their place in its file.</summary>
    private static string AddRows(GraphWriter writer, TensorProto tensor, long first, long count)
    {
        var (file, offset, length) = TensorData.Location(tensor);
        var perRow = length / tensor.Dims[0];
        var slice = tensor.Clone();
        slice.Name = writer.Unique(tensor.Name + "_rows");
        slice.Dims[0] = count;
        TensorData.SetLocation(slice, file, offset + first * perRow, count * perRow);
        writer.Graph.Initializer.Add(slice);
        return slice.Name;
    }
}
