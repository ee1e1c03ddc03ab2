using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Sums, means and other values of whole axes.</summary>
internal static class Reductions
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            ["ReduceMean"] = call => Reduce(call, (x, axes, keep) => x.mean(axes, keep)),
            ["ReduceSum"] = call => Reduce(call, (x, axes, keep) => x.sum(axes, keep)),
            ["ReduceMax"] = call => Reduce(call, (x, axes, keep) => x.amax(axes, keep)),
            ["ReduceMin"] = call => Reduce(call, (x, axes, keep) => x.amin(axes, keep)),
            ["ReduceL1"] = call => Reduce(call, (x, axes, keep) => x.abs().sum(axes, keep)),
            ["ReduceL2"] = call => Reduce(call, (x, axes, keep) => Root((x * x).sum(axes, keep))),
            ["ReduceSumSquare"] = call => Reduce(call, (x, axes, keep) => (x * x).sum(axes, keep)),
            ["ReduceLogSum"] = call => Reduce(call, (x, axes, keep) => x.sum(axes, keep).log()),
            ["ReduceLogSumExp"] = call => Reduce(call, LogSumExp),
            ["ReduceProd"] = call => Reduce(call, Product),
            ["CumSum"] = CumulativeSum,
        };

    /// <summary>The axes are an input in new versions of an operator and an attribute in old ones.</summary>
    private static Tensor Reduce(OperatorCall call, Func<Tensor, long[], bool, Tensor> function)
    {
        var x = call.Data(0);
        var wanted = call.Integers(1, "axes");
        if (wanted is null or [])
        {
            // Nothing is reduced, but each value is still squared or made positive: as if it had an axis of its own.
            if (call.Int("noop_with_empty_axes", 0) != 0)
                return function(x.unsqueeze(-1), [x.dim()], false);
            wanted = [.. Enumerable.Range(0, (int)x.dim()).Select(a => (long)a)];
        }

        return function(x, wanted, call.Int("keepdims", 1) != 0);
    }

    /// <summary>With the derivative 0 at 0, as torch's norm, where that of a root is infinite.</summary>
    private static Tensor Root(Tensor squares)
    {
        var isZero = squares.eq(Scalars.Of(0));
        return squares.masked_fill(isZero, Scalars.Of(1)).sqrt().masked_fill(isZero, Scalars.Of(0));
    }

    /// <summary>By the maximum, so that no exponential overflows.</summary>
    private static Tensor LogSumExp(Tensor x, long[] axes, bool keep)
    {
        // The maximum cancels out of the result, so its derivative is left out.
        var largest = x.amax(axes, keepdim: true).detach();
        var sum = (x - largest).exp().sum(axes, keepdim: true).log().Plus(largest);
        // The axes have length 1 here; this sum only drops them.
        return keep ? sum : sum.sum(axes);
    }

    private static Tensor Product(Tensor x, long[] axes, bool keep)
    {
        var result = x;
        // The last axis first: dropping it leaves the numbers of those before it valid.
        foreach (var axis in HostShapes.Axes(axes, (int)x.dim()).OrderDescending())
            result = result.prod(axis, keep);
        return result;
    }

    private static Tensor CumulativeSum(OperatorCall call)
    {
        if (call.Int("exclusive", 0) != 0 || call.Int("reverse", 0) != 0)
            throw new NotSupportedException("a CumSum that is exclusive or goes backwards");
        return call.Data(0).cumsum(HostShapes.Axis(call.Constant(1).Integers[0], (int)call.Data(0).dim()));
    }
}
