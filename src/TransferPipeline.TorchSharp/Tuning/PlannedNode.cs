using TransferPipeline.Onnx;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>One node in the order of execution.</summary>
/// <param name="Index">Its place in the plan.</param>
/// <param name="Function">As libtorch does it; null for operators on shapes and constants only.</param>
/// <param name="Inputs">Slots of its inputs; -1 for those that it leaves out.</param>
/// <param name="Outputs">Slots of its outputs; -1 for those without a name.</param>
/// <param name="Released">Slots that nothing needs after it.</param>
/// <param name="Overwritable">For each input whether its memory may take the result.</param>
internal sealed record PlannedNode(
    int Index,
    NodeProto Node,
    Func<OperatorCall, Tensor[]>? Function,
    int[] Inputs,
    int[] Outputs,
    int[] Released,
    bool[] Overwritable
)
{
    /// <summary>For messages.</summary>
    public string Description => Describe(Node);

    public static string Describe(NodeProto node) =>
        $"node '{(node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(o => o.Length > 0) ?? "")}' ({node.OpType})";
}
