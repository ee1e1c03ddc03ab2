using TorchSharp;
using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Operators that pick, place and pad values.</summary>
internal static class Indexing
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            ["Slice"] = Slice,
            ["Gather"] = Gather,
            ["GatherElements"] = GatherElements,
            ["ScatterND"] = ScatterNd,
            ["Pad"] = Pad,
            ["Trilu"] = Trilu,
        };

    private static Tensor Slice(OperatorCall call)
    {
        var x = call.Data(0).alias();
        foreach (var (axis, start, count, step) in HostLayout.Slices(call, x.shape))
        {
            // libtorch goes forward only.
            var first = step > 0 ? start : x.shape[axis] - 1 - start;
            if (step < 0)
                x = x.flip(axis);
            x = x.slice(axis, first, Math.Min(x.shape[axis], first + count * Math.Abs(step)), Math.Abs(step));
        }

        return x;
    }

    private static Tensor Gather(OperatorCall call)
    {
        var (x, indices) = (call.Data(0), call.Constant(1));
        var axis = HostShapes.Axis(call.Int("axis", 0), (int)x.dim());
        var length = x.shape[axis];
        long[] dims = [.. x.shape[..axis], .. indices.Dims, .. x.shape[(axis + 1)..]];
        // narrow gives a view where index_select copies.
        if (indices.Count == 1)
            return x.narrow(axis, HostShapes.Axis(indices.Integers[0], (int)length), 1).reshape(dims);
        var positive = HostArray.Vector(Array.ConvertAll(indices.Integers, i => i < 0 ? i + length : i));
        return x.index_select(axis, call.Run.Keep(positive)).reshape(dims);
    }

    private static Tensor GatherElements(OperatorCall call)
    {
        var (x, indices) = (call.Data(0), call.Constant(1));
        var axis = HostShapes.Axis(call.Int("axis", 0), (int)x.dim());
        var positive = HostArray.Of(Array.ConvertAll(indices.Integers, i => i < 0 ? i + x.shape[axis] : i), indices.Dims);
        return x.gather(axis, call.Run.Keep(positive));
    }

    private static Tensor ScatterNd(OperatorCall call)
    {
        if (call.Text("reduction", "none") is var reduction and not "none")
            throw new NotSupportedException($"a ScatterND with reduction {reduction}");
        var (x, indices, updates) = (call.Data(0), call.Constant(1), call.Data(2));
        var depth = (int)indices.Dims[^1];
        var (strides, inner) = (HostShapes.Strides(x.shape), HostShapes.Count(x.shape.AsSpan(depth)));
        // libtorch's scatter goes along one axis, so places are computed in the flattened tensor.
        var places = new long[indices.Count / depth * inner];
        for (var row = 0; row < indices.Count / depth; row++)
        {
            var first = 0L;
            for (var axis = 0; axis < depth; axis++)
                first += HostShapes.Axis(indices.Integers[row * depth + axis], (int)x.shape[axis]) * strides[axis];
            for (var i = 0; i < inner; i++)
                places[row * inner + i] = first + i;
        }

        return x.reshape(-1).scatter(0, call.Run.Keep(HostArray.Vector(places)), updates.reshape(-1)).reshape(x.shape);
    }

    private static Tensor Pad(OperatorCall call)
    {
        var x = call.Data(0);
        var rank = (int)x.dim();
        var given = call.Integers(1, "pads") ?? call.Ints("paddings")!;
        var axes = call.ConstantOrNull(3)?.Integers is { } some ? HostShapes.Axes(some, rank) : [.. Enumerable.Range(0, rank)];
        // ONNX lists all starts, then all ends.
        var (before, after) = (new long[rank], new long[rank]);
        for (var i = 0; i < axes.Length; i++)
            (before[axes[i]], after[axes[i]]) = (given[i], given[i + axes.Length]);
        var mode = call.Text("mode", "constant") switch
        {
            "constant" => PaddingModes.Constant,
            "reflect" => PaddingModes.Reflect,
            "edge" => PaddingModes.Replicate,
            var other => throw new NotSupportedException($"a Pad of mode {other}"),
        };
        var first = Array.FindIndex(before.Zip(after).ToArray(), p => p is not (0, 0));
        if (first < 0)
            return x.alias();
        // libtorch lists the last axis first, and repeats values over at most the last two axes of four.
        if (mode != PaddingModes.Constant && (rank != 4 || first < 2))
            throw new NotSupportedException($"a Pad of mode {call.Text("mode", "")} on an axis other than height and width");
        var last = mode == PaddingModes.Constant ? first : 2;
        long[] pads = [.. Enumerable.Range(last, rank - last).Reverse().SelectMany(a => (long[])[before[a], after[a]])];
        return nn.functional.pad(x, pads, mode, call.ConstantOrNull(2)?.At(0) ?? call.Float("value", 0));
    }

    private static Tensor Trilu(OperatorCall call)
    {
        var diagonal = call.ConstantOrNull(1)?.Integers[0] ?? 0;
        return call.Int("upper", 1) != 0 ? call.Data(0).triu(diagonal) : call.Data(0).tril(diagonal);
    }
}
