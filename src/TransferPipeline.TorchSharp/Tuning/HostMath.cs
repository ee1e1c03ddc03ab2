using static TransferPipeline.TorchSharp.Tuning.HostShapes;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>Elementwise operators on shapes and constants. A float64 result rounded to float32 is the float32 operation's own.</summary>
internal static class HostMath
{
    public static HostArray Binary(OperatorCall call, Func<long, long, long> integers, Func<double, double, double> reals)
    {
        var result = call.Constant(0);
        for (var i = 1; i < call.Inputs.Length; i++)
            result = Binary(result, call.Constant(i), integers, reals);
        return result;
    }

    /// <summary>ONNX's Mod has the divisor's sign, with fmod=1 the dividend's.</summary>
    public static HostArray Mod(OperatorCall call) =>
        call.Int("fmod", 0) != 0
            ? Binary(call, Remainder, (a, b) => a % b)
            : Binary(call, (a, b) => (Remainder(a, b) + b) % b, (a, b) => a - b * Math.Floor(a / b));

    /// <exception cref="InvalidDataException">Integers are divided by 0, or the result is no int64.</exception>
    public static long Quotient(long a, long b) => IsDivisible(a, b) ? a / b : throw NotDivisible(a, b);

    private static long Remainder(long a, long b) => IsDivisible(a, b) ? a % b : throw NotDivisible(a, b);

    private static bool IsDivisible(long a, long b) => b != 0 && (a, b) is not (long.MinValue, -1);

    private static InvalidDataException NotDivisible(long a, long b) => new($"{a} cannot be divided by {b}");

    /// <param name="integers">Null when ONNX defines the operator for reals only.</param>
    /// <param name="reals">Null when it is for integers and truth values only.</param>
    public static HostArray Unary(OperatorCall call, Func<long, long>? integers, Func<double, double>? reals)
    {
        var value = call.Constant(0);
        return value.Kind switch
        {
            HostKind.Real => HostArray.Of(Array.ConvertAll(value.Reals, v => (float)reals!(v)), value.Dims),
            HostKind.Integer => HostArray.Of(Array.ConvertAll(value.Integers, v => integers!(v)), value.Dims),
            _ => HostArray.Truths(Array.ConvertAll(value.Integers, v => integers!(v)), value.Dims),
        };
    }

    public static HostArray Compare(OperatorCall call, Func<double, double, bool> compare)
    {
        var (a, b) = (call.Constant(0), call.Constant(1));
        var dims = Broadcast(a.Dims, b.Dims);
        var (left, right) = (BroadcastPlaces(a.Dims, dims), BroadcastPlaces(b.Dims, dims));
        var result = new long[left.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = compare(a.At(left[i]), b.At(right[i])) ? 1 : 0;
        return HostArray.Truths(result, dims);
    }

    public static HostArray Reduce(OperatorCall call, Func<double, double, double> combine)
    {
        var value = call.Constant(0);
        var rank = value.Dims.Length;
        var wanted = call.Integers(1, "axes");
        if (wanted is null or [] && call.Int("noop_with_empty_axes", 0) != 0)
            return value;
        var axes = wanted is null or [] ? [.. Enumerable.Range(0, rank)] : Axes(wanted, rank);
        long[] kept = [.. value.Dims.Select((d, axis) => axes.Contains(axis) ? 1 : d)];
        // Null until a value is there: a maximum has no neutral element to start from.
        var (to, results) = (Strides(kept), new double?[Count(kept)]);
        // Step 0 on the reduced axes, so that all their values fall into one place.
        for (var axis = 0; axis < rank; axis++)
            to[axis] = axes.Contains(axis) ? 0 : to[axis];
        var places = Places(value.Dims, to, 0);
        for (var i = 0; i < places.Length; i++)
            results[places[i]] = results[places[i]] is { } sum ? combine(sum, value.At(i)) : value.At(i);
        var dims = call.Int("keepdims", 1) != 0 ? kept : [.. kept.Where((_, axis) => !axes.Contains(axis))];
        return value.Kind == HostKind.Real
            ? HostArray.Of(Array.ConvertAll(results, v => (float)(v ?? 0)), dims)
            : HostArray.Of(Array.ConvertAll(results, v => (long)(v ?? 0)), dims);
    }

    private static HostArray Binary(HostArray a, HostArray b, Func<long, long, long> integers, Func<double, double, double> reals)
    {
        var dims = Broadcast(a.Dims, b.Dims);
        var (left, right) = (BroadcastPlaces(a.Dims, dims), BroadcastPlaces(b.Dims, dims));
        if (a.Kind != HostKind.Real && b.Kind != HostKind.Real)
        {
            var whole = new long[left.Length];
            for (var i = 0; i < whole.Length; i++)
                whole[i] = integers(a.Integers[left[i]], b.Integers[right[i]]);
            return HostArray.Of(whole, dims);
        }

        var result = new float[left.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = (float)reals(a.At(left[i]), b.At(right[i]));
        return HostArray.Of(result, dims);
    }
}
