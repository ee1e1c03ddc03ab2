using TransferPipeline.Onnx;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>
/// Exporters before opset 24 write Swish (SiLU) as x * Sigmoid(x), and before opset 14 HardSwish as x * HardSigmoid(x). As one function it
/// keeps one activation for the derivative instead of two, and passes over memory twice instead of six times.
/// </summary>
internal static class SwishPattern
{
    /// <summary>The nodes with each such pattern as one node, at the place of its product.</summary>
    /// <param name="outputs">Tensors that must stay.</param>
    public static List<NodeProto> Fuse(IReadOnlyList<NodeProto> nodes, IEnumerable<string> outputs)
    {
        // An output of the graph counts as a user, so that it is not fused away.
        var uses = nodes.SelectMany(n => n.Input).Concat(outputs).CountBy(i => i).ToDictionary(u => u.Key, u => u.Value);
        var gates = nodes
            .Where(n => Whole(n) is not null && uses.GetValueOrDefault(n.Output[0]) == 1)
            .ToDictionary(n => n.Output[0], StringComparer.Ordinal);
        var result = new List<NodeProto>(nodes.Count);
        var dropped = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        foreach (var node in nodes)
        {
            var gate = node.OpType == "Mul" ? node.Input.Select(gates.GetValueOrDefault).FirstOrDefault(g => g is not null) : null;
            if (gate is null || !node.Input.Contains(gate.Input[0]))
            {
                result.Add(node);
                continue;
            }

            dropped.Add(gate);
            result.Add(
                new NodeProto
                {
                    OpType = Whole(gate),
                    Name = node.Name,
                    Input = { gate.Input[0] },
                    Output = { node.Output[0] },
                }
            );
        }

        return [.. result.Where(n => !dropped.Contains(n))];
    }

    /// <summary>The function that x times this one of x is; null for none.</summary>
    private static string? Whole(NodeProto node) =>
        node.OpType switch
        {
            "Sigmoid" => "Swish",
            "HardSigmoid" when Float(node, "alpha", 0.2f) == 1f / 6 && Float(node, "beta", 0.5f) == 0.5f => "HardSwish",
            _ => null,
        };

    private static float Float(NodeProto node, string name, float fallback) =>
        node.Attribute.FirstOrDefault(a => a.Name == name)?.F ?? fallback;
}
