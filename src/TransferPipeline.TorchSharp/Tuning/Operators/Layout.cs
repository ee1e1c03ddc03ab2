using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Operators that give values another shape or order.</summary>
internal static class Layout
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            // alias() makes a new object: the input itself as the result counts as overwritten (GraphRun).
            ["Identity"] = call => call.Data(0).alias(),
            ["Reshape"] = Reshape,
            ["Flatten"] = Flatten,
            ["Squeeze"] = call => call.Data(0).reshape(HostLayout.Squeezed(call.Data(0).shape, call.Integers(1, "axes"))),
            ["Unsqueeze"] = call => call.Data(0).reshape(HostLayout.Unsqueezed(call.Data(0).shape, call.Integers(1, "axes")!)),
            ["Transpose"] = Transpose,
            ["Concat"] = call => cat([.. Enumerable.Range(0, call.Inputs.Length).Select(call.Data)], call.Int("axis", 0)),
            ["Expand"] = call => call.Data(0).expand(HostShapes.Broadcast(call.Data(0).shape, call.Constant(1).Integers)),
            ["Tile"] = call => call.Data(0).repeat(call.Constant(1).Integers),
            ["DepthToSpace"] = DepthToSpace,
            ["SpaceToDepth"] = SpaceToDepth,
        };

    public static Tensor[] Split(OperatorCall call)
    {
        var x = call.Data(0);
        var axis = HostShapes.Axis(call.Int("axis", 0), (int)x.dim());
        var (length, parts) = (x.shape[axis], call.Node.Output.Count);
        // Without sizes all parts are equal but the last, which may be smaller.
        var size = (length + parts - 1) / parts;
        var sizes = call.Integers(1, "split") ?? [.. Enumerable.Range(0, parts).Select(i => Math.Min(size, length - i * size))];
        var (results, first) = (new Tensor[parts], 0L);
        for (var i = 0; i < parts; i++)
        {
            results[i] = x.narrow(axis, first, sizes[i]);
            first += sizes[i];
        }

        return results;
    }

    private static Tensor Reshape(OperatorCall call)
    {
        var x = call.Data(0);
        var wanted = call.Integers(1, "shape") ?? throw new InvalidDataException("it has no shape");
        return x.reshape(HostShapes.Reshaped(x.shape, wanted, call.Int("allowzero", 0) != 0));
    }

    private static Tensor Flatten(OperatorCall call)
    {
        var x = call.Data(0);
        var axis = HostShapes.Axis(call.Int("axis", 1), (int)x.dim());
        return x.reshape(HostShapes.Count(x.shape.AsSpan(0, axis)), HostShapes.Count(x.shape.AsSpan(axis)));
    }

    private static Tensor Transpose(OperatorCall call)
    {
        var order = HostLayout.Order(call.Ints("perm"), (int)call.Data(0).dim());
        return call.Data(0).permute(Array.ConvertAll(order, a => (long)a));
    }

    private static Tensor DepthToSpace(OperatorCall call)
    {
        var (x, b) = (call.Data(0), call.Int("blocksize", 1));
        var (n, c, h, w) = (x.shape[0], x.shape[1] / (b * b), x.shape[2], x.shape[3]);
        // DCR has the blocks before the channels; CRD is the order of torch's PixelShuffle.
        var parts =
            call.Text("mode", "DCR") == "DCR"
                ? x.reshape(n, b, b, c, h, w).permute(0, 3, 4, 1, 5, 2)
                : x.reshape(n, c, b, b, h, w).permute(0, 1, 4, 2, 5, 3);
        return parts.reshape(n, c, h * b, w * b);
    }

    private static Tensor SpaceToDepth(OperatorCall call)
    {
        var (x, b) = (call.Data(0), call.Int("blocksize", 1));
        var (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2] / b, x.shape[3] / b);
        return x.reshape(n, c, h, b, w, b).permute(0, 3, 5, 1, 2, 4).reshape(n, c * b * b, h, w);
    }
}
