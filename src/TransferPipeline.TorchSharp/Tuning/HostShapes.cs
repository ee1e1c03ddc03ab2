namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>Arithmetic of shapes and places, row by row as ONNX orders values.</summary>
internal static class HostShapes
{
    /// <exception cref="InvalidDataException">There are more values than one tensor has here.</exception>
    public static int Count(ReadOnlySpan<long> dims)
    {
        var count = 1L;
        foreach (var d in dims)
        {
            count *= d;
            // In each step: a product of several lengths may be more than 64 bits hold.
            if (count is < 0 or > int.MaxValue)
                throw new InvalidDataException($"a shape of {Text(dims)} has too many values");
        }

        return (int)count;
    }

    /// <summary>Distance between neighbours on each axis.</summary>
    public static int[] Strides(long[] dims)
    {
        var strides = new int[dims.Length];
        for (var (axis, stride) = (dims.Length - 1, 1); axis >= 0; axis--)
            (strides[axis], stride) = (stride, stride * (int)dims[axis]);
        return strides;
    }

    /// <summary>ONNX counts axes from the end when they are negative.</summary>
    public static int Axis(long axis, int rank) => (int)(axis < 0 ? axis + rank : axis);

    public static int[] Axes(IEnumerable<long> axes, int rank) => [.. axes.Select(a => Axis(a, rank))];

    /// <exception cref="InvalidDataException">The shapes do not broadcast.</exception>
    public static long[] Broadcast(long[] a, long[] b)
    {
        var rank = Math.Max(a.Length, b.Length);
        var dims = new long[rank];
        for (var i = 1; i <= rank; i++)
        {
            var (x, y) = (i <= a.Length ? a[^i] : 1, i <= b.Length ? b[^i] : 1);
            if (x != y && x != 1 && y != 1)
                throw new InvalidDataException($"shapes {Text(a)} and {Text(b)} do not fit together");
            dims[^i] = x == 1 ? y : x;
        }

        return dims;
    }

    /// <summary>For each value of a broadcast result its place in the operand.</summary>
    public static int[] BroadcastPlaces(long[] from, long[] to)
    {
        var (own, strides) = (Strides(from), new int[to.Length]);
        for (var i = 1; i <= from.Length; i++)
            // Step 0: an axis of length 1 is repeated along the longer one.
            strides[^i] = from[^i] == 1 ? 0 : own[^i];
        return Places(to, strides, 0);
    }

    /// <summary>The places that a walk over <paramref name="dims"/> visits, given the step on each axis and the first place.</summary>
    public static int[] Places(long[] dims, int[] steps, int first)
    {
        var places = new int[Count(dims)];
        var index = new long[dims.Length];
        var place = first;
        for (var i = 0; i < places.Length; i++)
        {
            places[i] = place;
            for (var axis = dims.Length - 1; axis >= 0; axis--)
            {
                place += steps[axis];
                if (++index[axis] < dims[axis])
                    break;
                // An axis that has ended goes back to its start, and the one before it moves on.
                place -= steps[axis] * (int)dims[axis];
                index[axis] = 0;
            }
        }

        return places;
    }

    /// <summary>The shape that a Reshape gives: 0 keeps an axis, -1 takes what is left.</summary>
    public static long[] Reshaped(long[] dims, long[] wanted, bool allowZero = false)
    {
        var result = new long[wanted.Length];
        var (open, known) = (-1, 1L);
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] == -1)
            {
                open = i;
                continue;
            }

            result[i] = wanted[i] == 0 && !allowZero ? dims[i] : wanted[i];
            known *= result[i];
        }

        if (open >= 0)
            result[open] = known == 0 ? 0 : Count(dims) / known;
        if (Count(result) != Count(dims))
            throw new InvalidDataException($"shape {Text(dims)} cannot become {Text(wanted)}");
        return result;
    }

    /// <summary>Start, count and step of a slice on one axis, by ONNX's rules for values out of range.</summary>
    public static (long Start, long Count) Slice(long length, long start, long end, long step)
    {
        if (step == 0)
            throw new InvalidDataException("a Slice has step 0");
        // One place before the first is the end of a slice that goes backwards through it.
        start = start < 0 ? Math.Max(start, -length - 1) + length : start;
        end = end < 0 ? Math.Max(end, -length - 1) + length : end;
        if (step > 0)
        {
            (start, end) = (Math.Clamp(start, 0, length), Math.Clamp(end, 0, length));
            return (start, Math.Max(0, (end - start + step - 1) / step));
        }

        (start, end) = (Math.Clamp(start, 0, Math.Max(0, length - 1)), Math.Clamp(end, -1, length - 1));
        return (start, Math.Max(0, (start - end - step - 1) / -step));
    }

    public static string Text(ReadOnlySpan<long> dims) => dims.Length == 0 ? "scalar" : string.Join(" x ", dims.ToArray());
}
