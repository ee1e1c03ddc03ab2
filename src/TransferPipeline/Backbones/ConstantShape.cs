using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>
/// Shapes of tensors that do not depend on the image, seen through what exporters put between stored weights and their layer: casts,
/// dequantization, changes of form, arithmetic among constants, and weights that are made on the fly.
/// </summary>
internal static class ConstantShape
{
    /// <returns>Null when it depends on the image or is made by an operator that is not known here.</returns>
    public static long[]? Of(GraphIndex index, string tensor)
    {
        if (index.Constant(tensor) is { } constant)
            return [.. constant.Dims];
        // Without inputs it is a generator such as RandomNormal, whose shape an attribute states.
        if (index.Depends(tensor) || index.Producer(tensor) is not { } node || node.Input.Count == 0)
            return null;
        switch (node.OpType)
        {
            case "DequantizeLinear"
            or "QuantizeLinear"
            or "Cast"
            or "CastLike"
            or "Identity"
            or "Neg"
            or "Abs"
            or "Sign"
            or "Sqrt"
            or "Exp"
            or "Tanh"
            or "Clip":
                return Of(index, node.Input[0]);
            case "Transpose" when Of(index, node.Input[0]) is { } shape:
                return node.Ints("perm") is { } perm ? [.. perm.Select(p => shape[p])] : [.. shape.Reverse()];
            case "ConstantOfShape":
                return Values(index, node.Input[0]);
            case "Reshape" when (node.Ints("shape") ?? Values(index, node.Input.ElementAtOrDefault(1) ?? "")) is { } wanted:
                return Of(index, node.Input[0]) is { } from ? Reshaped(from, wanted, node.Int("allowzero", 0) != 0) : null;
            case "Squeeze" or "Unsqueeze":
                var axes = node.Ints("axes") ?? (node.Input.Count > 1 ? Values(index, node.Input[1]) : null);
                return Of(index, node.Input[0]) is not { } dims ? null
                    : node.OpType == "Squeeze" ? Squeezed(dims, axes)
                    : axes is null ? null
                    : Unsqueezed(dims, axes);
            case "Add" or "Sub" or "Mul" or "Div" or "Pow" when node.Input.Count == 2:
                return Of(index, node.Input[0]) is { } left && Of(index, node.Input[1]) is { } right ? Broadcast(left, right) : null;
            default:
                return null;
        }
    }

    // A shape has at most a few axes; a large tensor is not read from its file to see that.
    private static long[]? Values(GraphIndex index, string tensor) =>
        index.Constant(tensor) is { } constant && TensorData.Count(constant) <= 8 ? TensorData.Int64s(constant) : null;

    private static long[]? Reshaped(long[] from, long[] wanted, bool allowZero)
    {
        // 0 copies the input's size unless allowzero is set; one -1 takes what is left (ONNX: Reshape).
        long[] dims = [.. wanted.Select((d, i) => d == 0 && !allowZero && i < from.Length ? from[i] : d)];
        var (count, rest) = (Product(from), Product(dims.Where(d => d != -1)));
        return rest == 0 || count % rest != 0 ? null : [.. dims.Select(d => d == -1 ? count / rest : d)];
    }

    private static long[] Squeezed(long[] dims, long[]? axes) =>
        [.. dims.Where((d, i) => axes is null ? d != 1 : !axes.Any(a => (a < 0 ? a + dims.Length : a) == i))];

    private static long[] Unsqueezed(long[] dims, long[] axes)
    {
        var rank = dims.Length + axes.Length;
        var made = axes.Select(a => a < 0 ? a + rank : a).ToHashSet();
        var rest = new Queue<long>(dims);
        return [.. Enumerable.Range(0, rank).Select(i => made.Contains(i) || rest.Count == 0 ? 1 : rest.Dequeue())];
    }

    private static long[]? Broadcast(long[] left, long[] right)
    {
        var rank = Math.Max(left.Length, right.Length);
        var pairs = Padded(left, rank).Zip(Padded(right, rank)).ToList();
        return pairs.TrueForAll(p => p.First == p.Second || p.First == 1 || p.Second == 1)
            ? [.. pairs.Select(p => Math.Max(p.First, p.Second))]
            : null;
    }

    private static IEnumerable<long> Padded(long[] dims, int rank) => Enumerable.Repeat(1L, rank - dims.Length).Concat(dims);

    private static long Product(IEnumerable<long> dims) => dims.Aggregate(1L, (product, d) => product * d);
}
