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
        var (dropped, fused) = (new HashSet<NodeProto>(ReferenceEqualityComparer.Instance), new Dictionary<NodeProto, NodeProto>());
        foreach (var product in nodes.Where(n => n.OpType == "Mul"))
        {
            if (
                product.Input.Select(gates.GetValueOrDefault).FirstOrDefault(g => g is not null) is not { } gate
                || !product.Input.Contains(gate.Input[0])
            )
                continue;
            dropped.Add(gate);
            fused[product] = new NodeProto
            {
                OpType = Whole(gate),
                Name = product.Name,
                Input = { gate.Input[0] },
                Output = { product.Output[0] },
            };
        }

        return [.. nodes.Where(n => !dropped.Contains(n)).Select(n => fused.GetValueOrDefault(n, n))];
    }

    /// <summary>The function that x times this one of x is; null for none.</summary>
    private static string? Whole(NodeProto node) =>
        node.OpType switch
        {
            "Sigmoid" => "Swish",
            // Of ONNX's defaults, 0.2 and 0.5, torch has the second one alone.
            "HardSigmoid" when node.Attribute("alpha")?.F == 1f / 6 && (node.Attribute("beta")?.F ?? 0.5f) == 0.5f => "HardSwish",
            _ => null,
        };
}
