using TransferPipeline.Images;
using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>
/// Follows the photo from the input through operators that work on each channel by itself, reorder channels, or change the size, up to the
/// layers of the network.
/// </summary>
internal sealed class PixelTrace
{
    /// <summary>Operators on one way; preprocessing is short, and a network without layers may be long.</summary>
    private const int MaxSteps = 48;

    private readonly GraphIndex _index;
    private readonly Dictionary<string, PixelTensor> _known = new(StringComparer.Ordinal);

    private PixelTrace(GraphIndex index) => _index = index;

    /// <summary>The tensors at which layers of the network begin, in the graph's order.</summary>
    public static IReadOnlyList<PixelTensor> Ends(GraphIndex index, BackboneInput input)
    {
        var trace = new PixelTrace(index);
        trace._known[input.Name] = new(
            input.Layout == TensorLayout.Nchw ? 1 : 3,
            4,
            [.. Enumerable.Range(0, 3).Select(c => new PixelChannel(c, 1, 0))]
        );
        var ends = new List<string>();
        foreach (var node in index.Graph.Node.Where(n => n.OpType is not ("Shape" or "Size")))
        {
            var inputs = GraphIndex.Inputs(node).Where(trace._known.ContainsKey).ToList();
            if (inputs.Count > 0 && !trace.Follow(node, inputs))
                ends.AddRange(inputs);
        }

        return [.. ends.Distinct().Select(e => trace._known[e])];
    }

    /// <returns>False when the node is a layer.</returns>
    private bool Follow(NodeProto node, IReadOnlyList<string> inputs)
    {
        var steps = inputs.Max(i => _known[i].Steps) + 1;
        if (steps <= MaxSteps && IsCentring(node, inputs))
        {
            _known[node.Output[0]] = _known[node.Input[0]] with { Steps = steps, IsCentred = true };
            return true;
        }

        if (steps > MaxSteps || GraphIndex.Inputs(node).Any(i => _index.Depends(i) && !_known.ContainsKey(i)))
            return false;
        var made = inputs is [var only] ? Split(node, _known[only]) ?? One(node, only, _known[only]) : Joined(node, inputs);
        if (made is null)
            return false;
        foreach (var (output, tensor) in node.Output.Zip(made))
            _known[output] = tensor with { Steps = steps };
        return true;
    }

    /// <summary>A photo less its own mean, written out or as one operator; the division by its own deviation ends the trace.</summary>
    private bool IsCentring(NodeProto node, IReadOnlyList<string> inputs) =>
        inputs is [var pixels]
        && node.Input[0] == pixels
        && (
            node.OpType is "InstanceNormalization" or "MeanVarianceNormalization" or "LayerNormalization"
            || node is { OpType: "Sub", Input.Count: 2 } && Reduction.Of(_index, node.Input[1], pixels) == "ReduceMean"
        );

    private IReadOnlyList<PixelTensor>? One(NodeProto node, string input, PixelTensor tensor)
    {
        var next = node.OpType switch
        {
            "Cast" or "CastLike" or "Identity" or "Dropout" or "Resize" or "Upsample" or "Round" or "Floor" or "Ceil" => tensor,
            "Pad" => Padded(node, tensor),
            "Clip" or "Min" or "Max" => Limited(node, tensor),
            "QuantizeLinear" or "DequantizeLinear" => Quantized(node, tensor),
            "Transpose" => Transposed(node, tensor),
            "Unsqueeze" => Unsqueezed(Axes(node), tensor),
            "Squeeze" => Squeezed(Axes(node), tensor),
            "Reshape" => Reshaped(node.Ints("shape") ?? Integers(node, 1), tensor),
            "Slice" => Sliced(node, tensor),
            "Gather" when node.Input[0] == input => Gathered(node, tensor),
            "Concat" when node.Input.Count == 1 => tensor,
            _ => Arithmetic(node, input, tensor),
        };
        return next is null ? null : [next];
    }

    private PixelTensor? Arithmetic(NodeProto node, string input, PixelTensor tensor) =>
        ChannelArithmetic.Mixed(_index, node, tensor) is { } mixed ? mixed
        : ChannelArithmetic.Of(_index, node, input, tensor) is var (factor, offset, isLearned) && factor.All(f => f != 0)
            ? tensor.Times(factor, offset, node.OpType, isLearned)
        : null;

    /// <summary>The parts of a Split along the channels.</summary>
    private IReadOnlyList<PixelTensor>? Split(NodeProto node, PixelTensor tensor)
    {
        if (node.OpType != "Split" || Normal(node.Int("axis", 0), tensor.Rank) != tensor.Axis)
            return null;
        var count = tensor.Channels.Count;
        var sizes = node.Ints("split") ?? (node.Input.Count > 1 ? Integers(node, 1) : null) ?? [];
        if (sizes.Length == 0 && count % node.Output.Count == 0)
            sizes = [.. node.Output.Select(_ => (long)count / node.Output.Count)];
        if (sizes.Length != node.Output.Count || sizes.Any(s => s < 1) || sizes.Sum() != count)
            return null;
        var parts = new List<PixelTensor>();
        for (int i = 0, first = 0; i < sizes.Length; first += (int)sizes[i++])
            parts.Add(tensor.Pick([.. Enumerable.Range(first, (int)sizes[i])]));
        return parts;
    }

    /// <summary>Channels that are put together again.</summary>
    private IReadOnlyList<PixelTensor>? Joined(NodeProto node, IReadOnlyList<string> inputs)
    {
        if (node.OpType != "Concat" || node.Input.Any(i => !_known.ContainsKey(i)))
            return null;
        var parts = node.Input.Select(i => _known[i]).ToList();
        var (first, axis) = (parts[0], Normal(node.Int("axis", 0), parts[0].Rank));
        if (inputs.Count < 2 || parts.Exists(p => p.Axis != axis || p.Rank != first.Rank || p.IsQuantized != first.IsQuantized))
            return null;
        return
        [
            first with
            {
                Channels = [.. parts.SelectMany(p => p.Channels)],
                Fixed = parts.TrueForAll(p => p.Fixed is null) ? null : [.. parts.SelectMany(p => p.Fixed ?? p.Channels)],
                Operators = parts.MaxBy(p => p.Operators.Count)!.Operators,
            },
        ];
    }

    private PixelTensor? Padded(NodeProto node, PixelTensor tensor)
    {
        // Of two numbers per axis, before and behind. Axes of their own came with opset 18.
        var pads = node.Ints("pads") ?? Integers(node, 1);
        return pads is null || pads.Length != 2 * tensor.Rank || pads[tensor.Axis] == 0 && pads[tensor.Axis + tensor.Rank] == 0
            ? tensor
            : null;
    }

    private PixelTensor? Limited(NodeProto node, PixelTensor tensor)
    {
        if (node.OpType != "Clip")
            return node.Input.Count == 2 && node.Input.Any(i => Number(i) is not null) ? tensor : null;
        var (least, largest) = (
            node.Attribute("min")?.F ?? Number(node.Input.ElementAtOrDefault(1) ?? "") ?? double.NegativeInfinity,
            node.Attribute("max")?.F ?? Number(node.Input.ElementAtOrDefault(2) ?? "") ?? double.PositiveInfinity
        );
        return tensor.Operators.Count == 0 ? tensor with { Limits = tensor.Limits ?? new(least, largest, "clips") } : tensor;
    }

    private PixelTensor? Quantized(NodeProto node, PixelTensor tensor)
    {
        var (scale, zero) = (Number(node.Input[1]), 0.0);
        var hasZero = node.Input.Count > 2 && node.Input[2].Length > 0;
        var type = (TensorProto.Types.DataType?)(
            hasZero ? _index.Constant(node.Input[2])?.DataType : (int)TensorProto.Types.DataType.Uint8
        );
        if (scale is not { } step || type is not (TensorProto.Types.DataType.Uint8 or TensorProto.Types.DataType.Int8))
            return null;
        var isSigned = type == TensorProto.Types.DataType.Int8;
        if (hasZero)
            zero = isSigned ? TensorData.Int8s(_index.Constant(node.Input[2])!)[0] : Number(node.Input[2]) ?? 0;
        if (node.OpType == "DequantizeLinear")
            // Behind a quantization it takes back what that one did.
            return tensor.IsQuantized
                ? tensor with
                {
                    IsQuantized = false,
                }
                : tensor.Times([step], [-zero * step], node.OpType, isLearned: false);
        var least = isSigned ? -128 : 0;
        var limits = new PixelLimits((least - zero) * step, (least + 255 - zero) * step, "quantizes");
        return tensor with { IsQuantized = true, Limits = tensor.Operators.Count == 0 ? tensor.Limits ?? limits : tensor.Limits };
    }

    private static PixelTensor? Transposed(NodeProto node, PixelTensor tensor)
    {
        // Without perm the axes are reversed.
        var perm = node.Ints("perm") ?? [.. Enumerable.Range(0, tensor.Rank).Reverse().Select(a => (long)a)];
        return tensor.Axis < 0 ? tensor : tensor with { Axis = Array.IndexOf(perm, (long)tensor.Axis) };
    }

    private static PixelTensor? Unsqueezed(long[]? axes, PixelTensor tensor)
    {
        if (axes is null or { Length: 0 })
            return null;
        var rank = tensor.Rank + axes.Length;
        var added = axes.Select(a => Normal(a, rank)).ToHashSet();
        // A single channel without an axis gets the new one.
        var axis =
            tensor.Axis < 0 ? Normal(axes[0], rank) : Enumerable.Range(0, rank).Where(a => !added.Contains(a)).ElementAt(tensor.Axis);
        return tensor with { Axis = axis, Rank = rank };
    }

    private static PixelTensor? Squeezed(long[]? axes, PixelTensor tensor)
    {
        if (axes is null or { Length: 0 })
            return null;
        var removed = axes.Select(a => Normal(a, tensor.Rank)).ToHashSet();
        return tensor with
        {
            Axis = removed.Contains(tensor.Axis) ? -1 : tensor.Axis - removed.Count(a => a < tensor.Axis),
            Rank = tensor.Rank - removed.Count,
        };
    }

    /// <summary>A reshape that leaves the channels behind the batch, or at the end.</summary>
    private static PixelTensor? Reshaped(long[]? target, PixelTensor tensor)
    {
        if (target is null || tensor.Axis < 0)
            return null;
        var fromEnd = tensor.Rank - tensor.Axis;
        var axis = target.Length - fromEnd;
        return
            axis >= 0 && fromEnd is 1 or 3 && (target[axis] == tensor.Channels.Count || target[axis] == 0 && target.Length == tensor.Rank)
            ? tensor with
            {
                Axis = axis,
                Rank = target.Length,
            }
            : null;
    }

    private PixelTensor? Sliced(NodeProto node, PixelTensor tensor)
    {
        var (starts, ends) = (node.Ints("starts") ?? Integers(node, 1), node.Ints("ends") ?? Integers(node, 2));
        var axes = node.Ints("axes") ?? (node.Input.Count > 3 ? Integers(node, 3) : null);
        var steps = node.Input.Count > 4 && node.Input[4].Length > 0 ? Integers(node, 4) : [.. (starts ?? []).Select(_ => 1L)];
        if (starts is null || ends is null || steps is null || starts.Length != ends.Length)
            return null;
        axes ??= [.. Enumerable.Range(0, starts.Length).Select(a => (long)a)];
        for (var i = 0; i < starts.Length && i < axes.Length && i < steps.Length; i++)
        {
            // A range of rows or columns is a crop.
            if (Normal(axes[i], tensor.Rank) == tensor.Axis)
                return Places(starts[i], ends[i], steps[i], tensor.Channels.Count) is { Count: > 0 } places ? tensor.Pick(places) : null;
        }

        return tensor;
    }

    /// <summary>The places that a range means (ONNX: Slice, which clamps its limits).</summary>
    private static List<int> Places(long start, long end, long step, int count)
    {
        var places = new List<int>();
        if (step == 0)
            return places;
        var (from, to) = (Clamped(start), Clamped(end));
        for (var place = from; step > 0 ? place < to : place > to; place += step)
            places.Add((int)place);
        return places;

        long Clamped(long limit)
        {
            var place = limit < 0 ? limit + count : limit;
            return step > 0 ? Math.Clamp(place, 0, count) : Math.Clamp(place, -1, count - 1);
        }
    }

    private PixelTensor? Gathered(NodeProto node, PixelTensor tensor)
    {
        if (Normal(node.Int("axis", 0), tensor.Rank) != tensor.Axis || _index.Constant(node.Input[1]) is not { Dims.Count: <= 1 } indices)
            return null;
        var count = tensor.Channels.Count;
        var places = TensorData.Int64s(indices).Select(p => Normal(p, count)).ToList();
        if (places.Count == 0 || places.Exists(p => p < 0 || p >= count))
            return null;
        var picked = tensor.Pick(places);
        // A single index takes the axis away.
        return indices.Dims.Count == 0 ? picked with { Axis = -1, Rank = tensor.Rank - 1 } : picked;
    }

    private long[]? Axes(NodeProto node) => node.Ints("axes") ?? (node.Input.Count > 1 ? Integers(node, 1) : null);

    private long[]? Integers(NodeProto node, int at) =>
        node.Input.Count > at && _index.Constant(node.Input[at]) is { } constant && TensorData.Count(constant) <= 16
            ? TensorData.Int64s(constant)
            : null;

    private double? Number(string tensor) => ChannelArithmetic.Values(_index, tensor, 1, 1, 1) is [var value] ? value : null;

    private static int Normal(long axis, int rank) => (int)(axis < 0 ? axis + rank : axis);
}
