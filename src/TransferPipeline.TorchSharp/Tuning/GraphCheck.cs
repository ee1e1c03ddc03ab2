using TransferPipeline.Onnx;
using TransferPipeline.Tuning;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>Whether a graph can be trained, found from its nodes alone.</summary>
internal static class GraphCheck
{
    /// <summary>The first thing that stands against it, with the cure; null for none.</summary>
    public static string? Problem(TunedGraph graph)
    {
        var onnx = graph.Model.Graph;
        foreach (var initializer in onnx.Initializer)
        {
            if ((DataType)initializer.DataType is DataType.Float16 or DataType.Bfloat16)
                return HalfPrecision($"the weight '{initializer.Name}' is of half precision");
        }

        if (onnx.SparseInitializer.Count > 0)
            return $"the weight '{onnx.SparseInitializer[0].Values.Name}' is stored sparse; write the file with dense weights";
        // Exporters declare outputs that nothing takes; only those in use stand against training.
        var used = onnx.Node.SelectMany(GraphIndex.Inputs).ToHashSet(StringComparer.Ordinal);
        if (onnx.Node.Select(n => Problem(n, used)).FirstOrDefault(p => p is not null) is { } problem)
            return problem;
        return TrainableWeights.Find(onnx, graph.Inputs.Select(i => i.Name)).Any(p => !p.IsStatistic)
            ? null
            : "no layer with weights lies between the cut and the feature; choose an earlier cut";
    }

    private static string? Problem(NodeProto node, HashSet<string> used)
    {
        var what = PlannedNode.Describe(node);
        if (node.IsQuantized())
            return $"{what} belongs to a quantized graph, which has no derivative; take the float32 file that it was made from";
        if (node.Domain is not ("" or "ai.onnx"))
            return $"{what} is of the domain '{node.Domain}' and not of ONNX itself; take the file as it was before an optimizer";
        if (OperatorTable.Find(node.OpType) is null && !HostOperators.Knows(node.OpType))
            return $"{what} cannot be trained through: this program has no derivative of it; choose a cut behind it";
        if (node.OpType == "Cast" && (DataType)node.Int("to", 1) is DataType.Float16 or DataType.Bfloat16)
            return HalfPrecision($"{what} makes half precision");
        if (node.OpType == "BatchNormalization" && node.Int("training_mode", 0) != 0)
            return $"{what} is a TRAINING export; export it with training=TrainingMode.PRESERVE from model.eval()";
        // A mask of Dropout or the indices of MaxPool: the functions here give the first output alone.
        if (node.OpType != "Split" && node.Output.Skip(1).FirstOrDefault(used.Contains) is { } second)
            return $"{what} has a second output, '{second}', which cannot be trained through; choose a cut behind it";
        return null;
    }

    private static string HalfPrecision(string found) =>
        $"{found}, in which small gradients vanish; take the float32 file that it was made from";
}
