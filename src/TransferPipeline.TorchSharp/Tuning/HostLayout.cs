using static TransferPipeline.TorchSharp.Tuning.HostShapes;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>Operators that move values of shapes and constants.</summary>
internal static class HostLayout
{
    public static HostArray Reshape(OperatorCall call)
    {
        var value = call.Constant(0);
        var wanted = call.Integers(1, "shape") ?? throw new InvalidDataException("it has no shape");
        return value.Shaped(Reshaped(value.Dims, wanted, call.Int("allowzero", 0) != 0));
    }

    public static HostArray Flatten(OperatorCall call)
    {
        var value = call.Constant(0);
        var axis = Axis(call.Int("axis", 1), value.Dims.Length);
        return value.Shaped(Count(value.Dims.AsSpan(0, axis)), Count(value.Dims.AsSpan(axis)));
    }

    public static HostArray Squeeze(OperatorCall call)
    {
        var value = call.Constant(0);
        return value.Shaped(Squeezed(value.Dims, call.Integers(1, "axes")));
    }

    public static HostArray Unsqueeze(OperatorCall call)
    {
        var value = call.Constant(0);
        return value.Shaped(Unsqueezed(value.Dims, call.Integers(1, "axes")!));
    }

    public static HostArray Transpose(OperatorCall call)
    {
        var value = call.Constant(0);
        var (order, strides) = (Order(call.Ints("perm"), value.Dims.Length), Strides(value.Dims));
        long[] dims = [.. order.Select(axis => value.Dims[axis])];
        return value.Take(dims, Places(dims, [.. order.Select(axis => strides[axis])], 0));
    }

    public static HostArray Concat(OperatorCall call)
    {
        var parts = Enumerable.Range(0, call.Inputs.Length).Select(call.Constant).ToList();
        var axis = Axis(call.Int("axis", 0), parts[0].Dims.Length);
        var dims = parts[0].Dims.ToArray();
        dims[axis] = parts.Sum(p => p.Dims[axis]);
        var kind = parts[0].Kind;
        var (outer, all) = (Count(dims.AsSpan(0, axis)), All(parts, kind));
        var places = new List<int>(Count(dims));
        for (var o = 0; o < outer; o++)
        {
            var first = 0;
            foreach (var part in parts)
            {
                var inner = part.Count / Math.Max(1, outer);
                for (var i = 0; i < inner; i++)
                    places.Add(first + o * inner + i);
                first += part.Count;
            }
        }

        return all.Take(dims, [.. places]);
    }

    public static HostArray Slice(OperatorCall call)
    {
        var value = call.Constant(0);
        var (dims, strides, first) = (value.Dims.ToArray(), Strides(value.Dims), 0);
        foreach (var (axis, start, count, step) in Slices(call, value.Dims))
        {
            first += (int)start * strides[axis];
            strides[axis] *= (int)step;
            dims[axis] = count;
        }

        return value.Take(dims, Places(dims, strides, first));
    }

    public static HostArray Gather(OperatorCall call)
    {
        var (value, indices) = (call.Constant(0), call.Constant(1));
        var axis = Axis(call.Int("axis", 0), value.Dims.Length);
        var (length, inner) = ((int)value.Dims[axis], Count(value.Dims.AsSpan(axis + 1)));
        long[] dims = [.. value.Dims[..axis], .. indices.Dims, .. value.Dims[(axis + 1)..]];
        var places = new int[Count(dims)];
        var at = 0;
        for (var outer = 0; outer < Count(value.Dims.AsSpan(0, axis)); outer++)
        {
            foreach (var index in indices.Integers)
            {
                for (var i = 0; i < inner; i++)
                    places[at++] = (outer * length + Axis(index, length)) * inner + i;
            }
        }

        return value.Take(dims, places);
    }

    public static HostArray Expand(OperatorCall call)
    {
        var value = call.Constant(0);
        var dims = Broadcast(value.Dims, call.Constant(1).Integers);
        return value.Take(dims, BroadcastPlaces(value.Dims, dims));
    }

    public static HostArray Tile(OperatorCall call)
    {
        var (value, repeats) = (call.Constant(0), call.Constant(1).Integers);
        long[] dims = [.. value.Dims.Select((d, axis) => d * repeats[axis])];
        var (strides, index) = (Strides(value.Dims), new long[dims.Length]);
        var places = new int[Count(dims)];
        var steps = Strides(dims);
        for (var i = 0; i < places.Length; i++)
        {
            for (var axis = 0; axis < dims.Length; axis++)
                places[i] += (int)(i / steps[axis] % dims[axis] % value.Dims[axis]) * strides[axis];
        }

        return value.Take(dims, places);
    }

    public static HostArray Where(OperatorCall call)
    {
        var (condition, yes, no) = (call.Constant(0), call.Constant(1), call.Constant(2));
        var dims = Broadcast(condition.Dims, Broadcast(yes.Dims, no.Dims));
        var (which, left, right) = (BroadcastPlaces(condition.Dims, dims), BroadcastPlaces(yes.Dims, dims), BroadcastPlaces(no.Dims, dims));
        var places = new int[which.Length];
        for (var i = 0; i < places.Length; i++)
            // Places count on from one operand to the other, as All puts them one behind the other.
            places[i] = condition.Integers[which[i]] != 0 ? left[i] : yes.Count + right[i];
        return All([yes, no], yes.Kind).Take(dims, places);
    }

    public static HostArray ScatterNd(OperatorCall call)
    {
        if (call.Text("reduction", "none") is var reduction and not "none")
            throw new NotSupportedException($"a ScatterND with reduction {reduction}");
        var (value, indices, updates) = (call.Constant(0), call.Constant(1), call.Constant(2));
        var depth = (int)indices.Dims[^1];
        var (strides, inner) = (Strides(value.Dims), Count(value.Dims.AsSpan(depth)));
        int[] places = [.. Enumerable.Range(0, value.Count)];
        for (var row = 0; row < indices.Count / Math.Max(1, depth); row++)
        {
            var first = 0;
            for (var axis = 0; axis < depth; axis++)
                first += Axis(indices.Integers[row * depth + axis], (int)value.Dims[axis]) * strides[axis];
            for (var i = 0; i < inner; i++)
                places[first + i] = value.Count + row * inner + i;
        }

        return All([value, updates], value.Kind).Take(value.Dims, places);
    }

    public static long[] Squeezed(long[] dims, long[]? axes)
    {
        var dropped = axes is null ? null : Axes(axes, dims.Length);
        return [.. dims.Where((d, axis) => dropped is null ? d != 1 : !dropped.Contains(axis))];
    }

    public static long[] Unsqueezed(long[] dims, long[] axes)
    {
        var rank = dims.Length + axes.Length;
        var (added, next) = (Axes(axes, rank), 0);
        return [.. Enumerable.Range(0, rank).Select(axis => added.Contains(axis) ? 1 : dims[next++])];
    }

    public static int[] Order(long[]? perm, int rank) =>
        perm is null ? [.. Enumerable.Range(0, rank).Reverse()] : Array.ConvertAll(perm, p => (int)p);

    /// <summary>Axis, first place, number of places and step of each axis that a Slice cuts.</summary>
    public static IEnumerable<(int Axis, long Start, long Count, long Step)> Slices(OperatorCall call, long[] dims)
    {
        var starts = call.Integers(1, "starts")!;
        var ends = call.Integers(2, "ends")!;
        var axes = call.Integers(3, "axes") ?? [.. Enumerable.Range(0, starts.Length).Select(a => (long)a)];
        var steps = call.ConstantOrNull(4)?.Integers;
        for (var i = 0; i < starts.Length; i++)
        {
            var (axis, step) = (Axis(axes[i], dims.Length), steps?[i] ?? 1);
            var (start, count) = HostShapes.Slice(dims[axis], starts[i], ends[i], step);
            yield return (axis, start, count, step);
        }
    }

    /// <summary>The values of several arrays one after the other.</summary>
    private static HostArray All(IReadOnlyList<HostArray> parts, HostKind kind)
    {
        var alike = parts.Select(p => p.To(kind)).ToList();
        return kind switch
        {
            HostKind.Real => HostArray.Of([.. alike.SelectMany(p => p.Reals)], alike.Sum(p => p.Count)),
            HostKind.Integer => HostArray.Of([.. alike.SelectMany(p => p.Integers)], alike.Sum(p => p.Count)),
            _ => HostArray.Truths([.. alike.SelectMany(p => p.Integers)], [alike.Sum(p => p.Count)]),
        };
    }
}
