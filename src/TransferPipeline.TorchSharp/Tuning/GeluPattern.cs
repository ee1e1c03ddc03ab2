using TransferPipeline.Onnx;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>
/// Exporters before opset 20 write Gelu as x / sqrt(2), Erf, + 1, * x, * 0.5. As one function it keeps one activation for the derivative
/// instead of five.
/// </summary>
internal static class GeluPattern
{
    // Exporters round the constants to float32.
    private const double Tolerance = 1e-6;

    /// <summary>The nodes with each such pattern as one Gelu node, at the place of its last one.</summary>
    /// <param name="outputs">Tensors that must stay.</param>
    public static List<NodeProto> Fuse(IReadOnlyList<NodeProto> nodes, GraphIndex index, IEnumerable<string> outputs)
    {
        // An output of the graph counts as a user, so that it is not fused away.
        var uses = nodes.SelectMany(n => n.Input).Concat(outputs).CountBy(i => i).ToDictionary(u => u.Key, u => u.Value);
        var users = nodes.SelectMany(n => n.Input.Select(i => (Input: i, Node: n))).ToLookup(u => u.Input, u => u.Node);
        var (dropped, fused) = (new HashSet<NodeProto>(ReferenceEqualityComparer.Instance), new Dictionary<NodeProto, NodeProto>());
        foreach (var erf in nodes.Where(n => n.OpType == "Erf"))
        {
            if (
                index.Producer(erf.Input[0]) is not { } scaled
                || Scaled(scaled) is not { } x
                || OnlyUser(scaled) != erf
                || Next(erf, "Add", 1) is not { } sum
                || OnlyUser(sum) is not { OpType: "Mul" } product
                || !product.Input.Contains(x)
                || Next(product, "Mul", 0.5) is not { } last
            )
                continue;
            dropped.UnionWith([scaled, erf, sum, product]);
            fused[last] = new NodeProto
            {
                OpType = "Gelu",
                Name = erf.Name,
                Input = { x },
                Output = { last.Output[0] },
            };
        }

        return [.. nodes.Where(n => !dropped.Contains(n)).Select(n => fused.GetValueOrDefault(n, n))];

        // The tensor that is divided by the root of 2.
        string? Scaled(NodeProto node) =>
            node.OpType == "Div" && IsNumber(node.Input[1], Math.Sqrt(2)) ? node.Input[0]
            : node.OpType == "Mul" && IsNumber(node.Input[1], Math.Sqrt(0.5)) ? node.Input[0]
            : null;

        NodeProto? Next(NodeProto node, string op, double number) =>
            OnlyUser(node) is { } next && next.OpType == op && next.Input.Any(i => IsNumber(i, number)) ? next : null;

        NodeProto? OnlyUser(NodeProto node) => uses.GetValueOrDefault(node.Output[0]) == 1 ? users[node.Output[0]].FirstOrDefault() : null;

        bool IsNumber(string tensor, double number) =>
            index.Constant(tensor) is { } constant
            && TensorData.Numbers(constant) is [var value]
            && Math.Abs(value - number) <= Tolerance * Math.Abs(number);
    }
}
