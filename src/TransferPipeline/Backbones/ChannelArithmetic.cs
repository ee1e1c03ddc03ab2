using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>One operator with constants as a factor and an offset for each channel of a photo.</summary>
internal static class ChannelArithmetic
{
    /// <summary>Operators between stored numbers and their use.</summary>
    private const int MaxSteps = 16;

    /// <returns>Null when the operator is none with one constant per channel.</returns>
    public static (double[] Factor, double[] Offset, bool IsLearned)? Of(GraphIndex index, NodeProto node, string input, PixelTensor tensor)
    {
        var (count, fromEnd) = (tensor.Channels.Count, tensor.Axis < 0 ? 0 : tensor.Rank - tensor.Axis);
        switch (node.OpType)
        {
            case "Add" or "Sub" or "Mul" or "Div" or "Sum" when node.Input.Count == 2:
                var first = node.Input[0] == input;
                if (At(first ? 1 : 0) is not { } other || node.Input[0] == node.Input[1])
                    return null;
                return node.OpType switch
                {
                    "Add" or "Sum" => ([1], other, false),
                    "Sub" => first ? ([1], Array.ConvertAll(other, v => -v), false) : ([-1], other, false),
                    "Mul" => (other, [0], false),
                    _ => first && other.All(v => v != 0) ? (Array.ConvertAll(other, v => 1 / v), [0], false) : null,
                };
            case "Neg":
                return ([-1], [0], false);
            // Core ML's preprocessing as converters of its networks write it (experimental operators of opset 1).
            case "ImageScaler":
                return (
                    [node.Attribute("scale")?.F ?? 1],
                    node.Attribute("bias")?.Floats is { Count: > 0 } biases && biases.Count == count
                        ? [.. biases.Select(v => (double)v)]
                        : [0],
                    false
                );
            case "Affine":
                return ([node.Attribute("alpha")?.F ?? 1], [node.Attribute("beta")?.F ?? 0], false);
            case "BatchNormalization" when node.Input.Count > 4 && fromEnd == tensor.Rank - 1:
                if (At(1) is not { } scale || At(2) is not { } bias || At(3) is not { } mean || At(4) is not { } variance)
                    return null;
                // 1e-5 is the default of the ONNX specification.
                var epsilon = node.Attribute("epsilon")?.F ?? 1e-5f;
                // scale (x - mean) / sqrt(variance + epsilon) + bias as one factor and one offset.
                double[] factor = [.. Enumerable.Range(0, count).Select(c => Each(scale, c) / Math.Sqrt(Each(variance, c) + epsilon))];
                return (factor, [.. Enumerable.Range(0, count).Select(c => Each(bias, c) - Each(mean, c) * factor[c])], true);
            // A depthwise 1 x 1 convolution scales each channel by itself.
            case "Conv" when node.Int("group", 1) == count && count > 1:
                return IsPointwise(index, node, count, 1) && At(1) is { } weights
                    ? (weights, node.Input.Count > 2 ? At(2) ?? [0] : [0], true)
                    : null;
            default:
                return null;
        }

        double[]? At(int place) => Values(index, node.Input[place], count, fromEnd, MaxSteps);
    }

    /// <summary>
    /// A matrix of one factor per row, by which exporters write another order of the channels: a 1 x 1 convolution, or a product with the
    /// last axis. Learned matrices are full.
    /// </summary>
    public static PixelTensor? Mixed(GraphIndex index, NodeProto node, PixelTensor tensor)
    {
        var count = tensor.Channels.Count;
        if (count != 3 || node.OpType is not ("Conv" or "MatMul") || node.Input.Count < 2)
            return null;
        var isConv = node.OpType == "Conv";
        if (isConv ? node.Int("group", 1) != 1 || tensor.Axis != 1 || !IsPointwise(index, node, 3, 3) : tensor.Axis != tensor.Rank - 1)
            return null;
        if (index.Constant(node.Input[1]) is not { } constant || TensorData.Count(constant) != 9 || !isConv && constant.Dims.Count != 2)
            return null;
        var values = TensorData.Numbers(constant);
        if (values.Length != 9)
            return null;
        var (places, factors) = (new int[3], new double[3]);
        for (var made = 0; made < 3; made++)
        {
            // Rows of a convolution's weights are outputs, those of a product inputs.
            var row = Enumerable.Range(0, 3).Select(c => isConv ? values[3 * made + c] : values[3 * c + made]).ToList();
            if (row.Count(v => v != 0) != 1)
                return null;
            places[made] = row.FindIndex(v => v != 0);
            factors[made] = row[places[made]];
        }

        var bias = isConv && node.Input.Count > 2 ? Values(index, node.Input[2], 3, 1, MaxSteps) : [0];
        return bias is null ? null : tensor.Pick(places).Times(factors, bias, node.OpType, isLearned: false);
    }

    /// <summary>The numbers of a tensor that does not depend on the photo, as far as simple operators make it.</summary>
    /// <param name="fromEnd">The channels' axis counted from the last one, which is 1; 0 without such an axis.</param>
    /// <returns>One number, or one for each channel (of an image its mean); null for others.</returns>
    public static double[]? Values(GraphIndex index, string tensor, int channels, int fromEnd, int steps)
    {
        if (tensor.Length == 0 || steps < 0)
            return null;
        if (index.Constant(tensor) is { } constant)
            return Stored(constant, channels, fromEnd);
        if (
            index.Depends(tensor)
            || index.Producer(tensor) is not { } node
            || node.Domain is not ("" or "ai.onnx")
            || node.Input.Count == 0
        )
            return null;
        switch (node.OpType)
        {
            case "Cast" or "CastLike" or "Unsqueeze" or "Squeeze" or "Reshape" or "Expand" or "Tile" or "Flatten" or "Transpose":
                return At(0);
            case "Neg":
                return Each(v => -v);
            case "Sqrt":
                return Each(Math.Sqrt);
            case "Reciprocal":
                return Each(v => 1 / v);
            case "Abs":
                return Each(Math.Abs);
            case "Exp":
                return Each(Math.Exp);
            case "Clip":
                var least = node.Attribute("min")?.F ?? (node.Input.Count > 1 ? At(1)?[0] : null) ?? double.NegativeInfinity;
                var largest = node.Attribute("max")?.F ?? (node.Input.Count > 2 ? At(2)?[0] : null) ?? double.PositiveInfinity;
                return Each(v => Math.Min(Math.Max(v, least), largest));
            case "Add" or "Sub" or "Mul" or "Div" or "Pow" or "Max" or "Min" when node.Input.Count == 2:
                if (At(0) is not { } left || At(1) is not { } right)
                    return null;
                return
                [
                    .. Enumerable
                        .Range(0, Math.Max(left.Length, right.Length))
                        .Select(c => Combined(node.OpType, left[c % left.Length], right[c % right.Length])),
                ];
            case "Concat" when node.Input.Count == channels && channels > 1:
                var parts = Enumerable.Range(0, channels).Select(At).ToList();
                return parts.TrueForAll(p => p is [_]) ? [.. parts.Select(p => p![0])] : null;
            default:
                return null;
        }

        double[]? At(int place) => Values(index, node.Input[place], channels, fromEnd, steps - 1);

        double[]? Each(Func<double, double> change) => At(0) is { } values ? [.. values.Select(change)] : null;
    }

    private static double Combined(string op, double left, double right) =>
        op switch
        {
            "Add" => left + right,
            "Sub" => left - right,
            "Mul" => left * right,
            "Div" => left / right,
            "Pow" => Math.Pow(left, right),
            "Max" => Math.Max(left, right),
            _ => Math.Min(left, right),
        };

    private static double[]? Stored(TensorProto constant, int channels, int fromEnd)
    {
        var count = TensorData.Count(constant);
        if (count == 1 || count == channels)
            return TensorData.Numbers(constant) is { Length: > 0 } numbers ? numbers : null;
        // An image of as many channels, behind each other or together for each pixel: a mean image.
        if (fromEnd is not (1 or 3) || constant.Dims.Count < 3 || constant.Dims[^fromEnd] != channels)
            return null;
        var pixels = constant.Dims[^1] * constant.Dims[^2] * constant.Dims[^3] / channels;
        if (pixels < 2 || count != channels * pixels || TensorData.Numbers(constant) is not { Length: > 0 } image)
            return null;
        return
        [
            .. Enumerable.Range(0, channels).Select(c => image.Where((_, i) => (fromEnd == 1 ? i % channels : i / pixels) == c).Average()),
        ];
    }

    private static bool IsPointwise(GraphIndex index, NodeProto node, int made, int taken) =>
        ConstantShape.Of(index, node.Input[1]) is [var outputs, var inputs, 1, 1] && outputs == made && inputs == taken;

    private static double Each(double[] values, int channel) => values[channel % values.Length];
}
