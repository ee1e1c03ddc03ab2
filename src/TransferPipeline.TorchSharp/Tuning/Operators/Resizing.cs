using TorchSharp;
using TransferPipeline.Onnx;
using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Maps of another height and width: nearest neighbours as ONNX Runtime takes them, all else where torch has it too.</summary>
internal static class Resizing
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            // Opset 11 put the region before the scales, and the sizes behind them.
            ["Resize"] = call => Resize(call, call.Opset < 11 ? 1 : 2, call.Opset < 11 ? -1 : 3),
            ["Upsample"] = call => Resize(call, 1, -1),
        };

    private static Tensor Resize(OperatorCall call, int scalesInput, int sizesInput)
    {
        var x = call.Data(0);
        // Where sizes are given, exporters leave an empty list of scales.
        var scales = call.ConstantOrNull(scalesInput) is { Count: > 0 } host ? host.Reals : call.Node.Attribute("scales")?.Floats.ToArray();
        var sizes = sizesInput < 0 ? null : call.ConstantOrNull(sizesInput)?.Integers;
        if (
            x.dim() != 4
            || call.Ints("axes") is not null
            || call.Int("antialias", 0) != 0
            || call.Text("keep_aspect_ratio_policy", "stretch") != "stretch"
        )
            throw new NotSupportedException("a Resize that is not of N x C x height x width, or has axes, antialias or an aspect policy");
        long[] given = [x.shape[2], x.shape[3]];
        // ONNX rounds a size that follows from a scale down.
        long[] size = sizes is not null ? sizes[2..] : [(long)(given[0] * scales![2]), (long)(given[1] * scales[3])];
        float[] factors = sizes is not null ? [(float)size[0] / given[0], (float)size[1] / given[1]] : scales![2..];
        if (sizes is not null ? !sizes.AsSpan(0, 2).SequenceEqual(x.shape.AsSpan(0, 2)) : scales is not [1, 1, ..])
            throw new NotSupportedException("a Resize of the number of photos or channels");
        // Versions before 11 map places as "asymmetric" does.
        var places = call.Text("coordinate_transformation_mode", call.Opset < 11 ? "asymmetric" : "half_pixel");
        var mode = call.Text("mode", "nearest");
        if (mode == "nearest")
        {
            var nearest = call.Text("nearest_mode", call.Opset < 11 ? "simple" : "round_prefer_floor");
            return Take(
                call,
                x,
                NearestPlaces.Of(given[0], size[0], factors[0], places, nearest),
                NearestPlaces.Of(given[1], size[1], factors[1], places, nearest)
            );
        }

        var isTorch = places switch
        {
            "align_corners" or "half_pixel" => true,
            // A side of one value takes the first one here and the middle in torch.
            "pytorch_half_pixel" => (size[0] > 1 || given[0] == 1) && (size[1] > 1 || given[1] == 1),
            _ => false,
        };
        if (mode is not ("linear" or "cubic") || !isTorch || mode == "cubic" && !IsTorchCubic(call))
            throw new NotSupportedException(
                $"a Resize of mode {mode} with {places} from {HostShapes.Text(given)} to {HostShapes.Text(size)}, which torch does not have"
            );
        var torchMode = mode == "linear" ? InterpolationMode.Bilinear : InterpolationMode.Bicubic;
        if (places == "align_corners")
            return nn.functional.interpolate(x, size, mode: torchMode, align_corners: true);
        // Places follow from a scale where one is given, which is not that of the sizes where it was rounded.
        var isExact = sizes is not null || (given[0] * factors[0] == size[0] && given[1] * factors[1] == size[1]);
        return isExact
            ? nn.functional.interpolate(x, size, mode: torchMode, align_corners: false)
            : nn.functional.interpolate(x, scale_factor: [factors[0], factors[1]], mode: torchMode, align_corners: false);
    }

    // torch's cubic kernel has the constant -0.75 and takes pixels beyond the border from the border.
    private static bool IsTorchCubic(OperatorCall call) =>
        call.Float("cubic_coeff_a", -0.75f) == -0.75f && call.Int("exclude_outside", 0) == 0;

    /// <summary>The rows and columns that a nearest neighbour takes.</summary>
    private static Tensor Take(OperatorCall call, Tensor x, long[] rows, long[] columns)
    {
        var (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3]);
        if (!Repeats(rows, h) || !Repeats(columns, w))
            return x.index_select(2, call.Run.Keep(HostArray.Vector(rows))).index_select(3, call.Run.Keep(HostArray.Vector(columns)));
        // A view is faster than an index.
        var (down, right) = (rows.Length / h, columns.Length / w);
        return x.reshape(n, c, h, 1, w, 1).expand(n, c, h, down, w, right).reshape(n, c, rows.Length, columns.Length);
    }

    private static bool Repeats(long[] places, long length)
    {
        var times = places.Length / length;
        return times * length == places.Length && places.Select((place, i) => place == i / times).All(isSame => isSame);
    }
}
