using TransferPipeline.Images;
using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>What a graph's first operators show of the pixels that it takes.</summary>
internal enum PixelUnit
{
    /// <summary>Nothing.</summary>
    Unknown,

    /// <summary>0 to 255.</summary>
    Levels,

    /// <summary>0 to 1.</summary>
    Unit,

    /// <summary>ImageNet's normalization, which the graph turns into another (torchvision's transform_input).</summary>
    ImageNet,

    /// <summary>There is arithmetic that fits none of these.</summary>
    Unclear,
}

/// <summary>
/// Recognizes preprocessing that the exporter put into the graph: arithmetic with constants between the input and the first layer is
/// followed as one factor and one offset per channel, and their size shows the unit of the pixels.
/// </summary>
/// <param name="Bgr">The subtracted means are those of blue, green, red in this order.</param>
/// <param name="Evidence">In words.</param>
internal sealed record PixelArithmetic(PixelUnit Unit, bool Bgr, string Evidence)
{
    private const int MaxSteps = 16;

    public static PixelArithmetic Find(GraphIndex index, BackboneInput input)
    {
        double[] factor = [1, 1, 1],
            offset = [0, 0, 0];
        var operators = new List<string>();
        int[] source = [0, 1, 2];
        var learned = true;
        var (tensor, channel, rank) = (input.Name, input.Layout == TensorLayout.Nchw ? 1 : 3, 4);
        // Follows the only user of a tensor. The invariant: the tensor is factor x + offset, with one pair per channel.
        for (var step = 0; step < MaxSteps; step++)
        {
            var users = index
                .Graph.Node.Where(n => n.OpType is not ("Shape" or "Size") && GraphIndex.Inputs(n).Contains(tensor))
                .Take(2)
                .ToList();
            // Two users: the layers of the network begin, or arithmetic that is not one chain.
            if (users is not [var node])
                break;
            if (node.OpType == "Transpose" && node.Ints("perm") is { } perm)
                channel = Array.IndexOf(perm, (long)channel);
            else if (Reordered(index, node, channel, rank) is var (order, next))
            {
                // The pairs move with their channels; source keeps which channel of the photo each came from.
                (factor, offset, source) = (
                    [.. order.Select(c => factor[c])],
                    [.. order.Select(c => offset[c])],
                    [.. order.Select(c => source[c])]
                );
                tensor = next;
                continue;
            }
            else if (Affine(index, node, tensor) is var (a, b))
            {
                // a (f x + o) + b = (a f) x + (a o + b).
                for (var c = 0; c < 3; c++)
                    (factor[c], offset[c]) = (factor[c] * a[c], offset[c] * a[c] + b[c]);
                if (a.Any(v => v != 1) || b.Any(v => v != 0))
                {
                    operators.Add(node.OpType);
                    learned &= node.OpType is "BatchNormalization" or "Conv";
                }
            }
            else if (node.OpType is not ("Cast" or "Identity" or "Resize" or "Upsample" or "CastLike" or "Dropout"))
            {
                break;
            }

            tensor = node.Output[0];
        }

        if (input.ElementType == "uint8")
            return new(PixelUnit.Levels, IsBgr(offset, source), "its input is uint8");
        var evidence = $"its graph starts with {string.Join(", ", operators)} on the pixels";
        if (operators.Count == 0 || factor.All(f => f == 1) && offset.All(o => o == 0))
            return new(PixelUnit.Unknown, false, "");
        var unit = UnitOf(factor, offset);
        // A first layer that is learned may hold any numbers.
        return unit == PixelUnit.Unclear && learned
            ? new(PixelUnit.Unknown, false, "")
            : new(unit, unit == PixelUnit.Levels && IsBgr(offset, source), evidence);
    }

    /// <summary>
    /// The unit in which <c>factor x + offset</c> is what networks are trained on: a span of 1 to 5 around 0, or levels less their mean.
    /// </summary>
    private static PixelUnit UnitOf(double[] factor, double[] offset)
    {
        var (least, largest) = (factor.Min(Math.Abs), factor.Max(Math.Abs));
        // Where mid grey lands, for levels (127.5) and for values up to 1 (0.5): normalized photos lie around 0.
        var middle = factor.Zip(offset).Select(p => (Levels: p.First * 127.5 + p.Second, Unit: p.First * 0.5 + p.Second)).ToList();
        if (
            factor.Zip(ImageNetFactors).All(p => Math.Abs(p.First - p.Second) < 0.01)
            && offset.Zip(ImageNetOffsets).All(p => Math.Abs(p.First - p.Second) < 0.01)
        )
            return PixelUnit.ImageNet;
        // A factor of about 1 / (255 std), with deviations between 0.14 and 1.1 of the range.
        if (least * 255 >= 0.9 && largest * 255 <= 7 && middle.All(m => Math.Abs(m.Levels) <= 2.5))
            return PixelUnit.Levels;
        // Means of photos in levels, of dark or bright datasets too; a mean of pixels from 0 to 1 is below 1.
        if (least >= 0.9 && largest <= 1.1 && offset.All(o => o is > -255 and < -5))
            return PixelUnit.Levels;
        // The same in values up to 1: 1 / std between 1.5 and 7.
        if (least >= 1.5 && largest <= 7 && middle.All(m => Math.Abs(m.Unit) <= 1.5) && offset.All(o => o < 0))
            return PixelUnit.Unit;
        // A factor of 255 makes levels of values up to 1, for networks that were trained on levels.
        return least >= 250 && largest <= 260 ? PixelUnit.Unit : PixelUnit.Unclear;
    }

    /// <summary>torchvision's transform_input: from ImageNet's mean and deviation to 0.5 and 0.5.</summary>
    private static readonly double[] ImageNetFactors = [0.458, 0.448, 0.45];
    private static readonly double[] ImageNetOffsets = [-0.03, -0.088, -0.188];

    /// <summary>ImageNet's means in levels are 123.7, 116.8 and 103.9.</summary>
    /// <param name="source">The input's channel that stands in each place.</param>
    private static bool IsBgr(double[] offset, int[] source) =>
        offset[Array.IndexOf(source, 0)] is < -100 and > -108 && offset[Array.IndexOf(source, 2)] is < -120 and > -127;

    /// <summary>Channels in another order, by Gather or by Split and Concat, and the tensor after it.</summary>
    private static (int[] Order, string Next)? Reordered(GraphIndex index, NodeProto node, int channel, int rank)
    {
        var axis = (int)node.Int("axis", 0);
        if ((axis < 0 ? axis + rank : axis) != channel)
            return null;
        if (node.OpType == "Gather")
            return Order(index, node) is { } order ? (order, node.Output[0]) : null;
        if (node.OpType != "Split" || node.Output.Count != 3)
            return null;
        var users = index.Graph.Node.Where(n => n.Input.Any(node.Output.Contains)).ToList();
        return users is [{ OpType: "Concat", Input.Count: 3 } concat] && concat.Input.All(node.Output.Contains)
            ? ([.. concat.Input.Select(i => node.Output.IndexOf(i))], concat.Output[0])
            : null;
    }

    private static int[]? Order(GraphIndex index, NodeProto node) =>
        index.Constant(node.Input[1]) is { } constant
        && TensorData.Int64s(constant) is { Length: 3 } order
        && order.All(c => c is >= 0 and < 3)
            ? [.. order.Select(c => (int)c)]
            : null;

    /// <summary>Factor and offset of one operator, for each channel.</summary>
    private static (double[] Factor, double[] Offset)? Affine(GraphIndex index, NodeProto node, string tensor)
    {
        switch (node.OpType)
        {
            case "Add" or "Sub" or "Mul" or "Div" when node.Input.Count == 2:
                var first = node.Input[0] == tensor;
                if (Channels(index, node.Input[first ? 1 : 0]) is not { } other)
                    return null;
                return node.OpType switch
                {
                    "Add" => (Fill(1), other),
                    "Sub" => first ? (Fill(1), Array.ConvertAll(other, v => -v)) : (Fill(-1), other),
                    "Mul" => (other, Fill(0)),
                    _ => first && other.All(v => v != 0) ? (Array.ConvertAll(other, v => 1 / v), Fill(0)) : null,
                };
            // Core ML's preprocessing as converters of its networks write it (experimental operators of opset 1).
            case "ImageScaler":
                var imageScale = node.Attribute("scale")?.F ?? 1;
                return (
                    Fill(imageScale),
                    node.Attribute("bias")?.Floats is { Count: 3 } biases ? [.. biases.Select(v => (double)v)] : Fill(0)
                );
            case "Affine":
                return (Fill(node.Attribute("alpha")?.F ?? 1), Fill(node.Attribute("beta")?.F ?? 0));
            case "BatchNormalization" when node.Input.Count > 4:
                if (
                    Channels(index, node.Input[1]) is not { } scale
                    || Channels(index, node.Input[2]) is not { } bias
                    || Channels(index, node.Input[3]) is not { } mean
                    || Channels(index, node.Input[4]) is not { } variance
                )
                    return null;
                // 1e-5 is the default of the ONNX specification.
                var epsilon = node.Attribute("epsilon")?.F ?? 1e-5f;
                // scale (x - mean) / sqrt(variance + epsilon) + bias as one factor and one offset.
                double[] factor = [.. scale.Zip(variance).Select(p => p.First / Math.Sqrt(p.Second + epsilon))];
                return (factor, [.. bias.Select((b, c) => b - mean[c] * factor[c])]);
            // A depthwise 1 x 1 convolution scales each channel by itself.
            case "Conv"
                when node.Int("group", 1) == 3
                    && ConstantShape.Of(index, node.Input[1]) is [3, 1, 1, 1]
                    && Channels(index, node.Input[1]) is { } weights:
                return (weights, node.Input.Count > 2 ? Channels(index, node.Input[2]) ?? Fill(0) : Fill(0));
            default:
                return null;
        }
    }

    private static double[] Fill(double value) => [value, value, value];

    /// <summary>A constant of one value, of three, or of an image of three channels (then its means); null for others.</summary>
    private static double[]? Channels(GraphIndex index, string tensor)
    {
        var node = index.Producer(tensor);
        // Exporters keep some constants behind a Cast or another change of form.
        if (node is { OpType: "Cast" or "Unsqueeze" or "Reshape" or "DequantizeLinear" } && !index.Depends(tensor))
            return node.OpType == "DequantizeLinear" ? null : Channels(index, node.Input[0]);
        if (index.Constant(tensor) is not { } constant)
            return null;
        if (constant.Dims is [.., 3, > 1, > 1] && TensorData.Count(constant) == 3 * constant.Dims[^1] * constant.Dims[^2])
            return [.. TensorData.Numbers(constant).Chunk((int)(constant.Dims[^1] * constant.Dims[^2])).Select(c => c.Average())];
        if (TensorData.Count(constant) is not (1 or 3))
            return null;
        return TensorData.Numbers(constant) switch
        {
            [var one] => [one, one, one],
            [var r, var g, var b] => [r, g, b],
            _ => null,
        };
    }
}
