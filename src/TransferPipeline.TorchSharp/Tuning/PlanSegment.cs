using TransferPipeline.Onnx;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>The nodes between two BatchNormalizations, whose statistics are those of a whole batch.</summary>
/// <param name="First">Place of the first node.</param>
/// <param name="End">Place behind the last one: of the normalization, or the number of nodes.</param>
/// <param name="Normalization">Null for the last segment.</param>
/// <param name="Passed">Slots of values that these nodes make and later ones take.</param>
internal sealed record PlanSegment(int First, int End, PlannedNode? Normalization, int[] Passed)
{
    /// <summary>A ReLU or Clip that alone takes the normalized values and is computed with them; null for none.</summary>
    public PlannedNode? Activation { get; init; }

    /// <summary>What the activation limits values to.</summary>
    public float Low { get; init; } = float.NegativeInfinity;

    /// <inheritdoc cref="Low"/>
    public float High { get; init; } = float.PositiveInfinity;

    /// <param name="lastUse">Of each slot: the place of the last node that takes it.</param>
    /// <param name="uses">How often each slot is taken.</param>
    /// <param name="maker">The place of the node that makes each slot; -1 for what is given.</param>
    public static List<PlanSegment> Divide(List<PlannedNode> nodes, GraphIndex index, int[] lastUse, int[] uses, int[] maker)
    {
        var segments = new List<PlanSegment>();
        var first = 0;
        foreach (var node in nodes.Where(n => n.Node.OpType == "BatchNormalization"))
        {
            segments.Add(WithActivation(new(first, node.Index, node, Passed(first, node.Index))));
            first = node.Index + 1;
        }

        segments.Add(new(first, nodes.Count, null, Passed(first, nodes.Count)));
        return segments;

        int[] Passed(int from, int end) =>
            [.. Enumerable.Range(0, maker.Length).Where(s => maker[s] >= from && maker[s] < end && lastUse[s] >= end)];

        PlanSegment WithActivation(PlanSegment segment)
        {
            var made = segment.Normalization!.Outputs[0];
            // An output of the graph has a use that no node has.
            if (uses[made] != 1 || lastUse[made] == nodes.Count)
                return segment;
            var user = nodes[lastUse[made]];
            return user.Node.OpType switch
            {
                "Relu" => segment with { Activation = user, Low = 0 },
                "Clip" when user.Inputs[0] == made && Limit(user.Node, 1, "min") is { } low && Limit(user.Node, 2, "max") is { } high =>
                    segment with
                    {
                        Activation = user,
                        Low = low,
                        High = high,
                    },
                _ => segment,
            };
        }

        // By the graph alone: a Constant may stand between the two nodes and is computed only then.
        float? Limit(NodeProto clip, int input, string attribute) =>
            clip.Attribute(attribute)?.F
            ?? (
                clip.Input.ElementAtOrDefault(input) is { Length: > 0 } name
                && index.Constant(name) is { } constant
                && TensorData.Numbers(constant) is [var value]
                    ? (float)value
                    : null
            );
    }
}
