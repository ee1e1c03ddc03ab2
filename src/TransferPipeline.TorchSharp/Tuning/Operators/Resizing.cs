using TorchSharp;
using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Maps of another height and width, in the ways that torch has too.</summary>
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
        var scales = call.ConstantOrNull(scalesInput) is { Count: > 0 } host
            ? host.Reals
            : call.Node.Attribute.FirstOrDefault(a => a.Name == "scales")?.Floats.ToArray();
        var sizes = sizesInput < 0 ? null : call.ConstantOrNull(sizesInput)?.Integers;
        if (
            x.dim() != 4
            || call.Ints("axes") is not null
            || call.Int("antialias", 0) != 0
            || call.Text("keep_aspect_ratio_policy", "stretch") != "stretch"
        )
            throw new NotSupportedException("a Resize that is not of N x C x height x width, or has axes, antialias or an aspect policy");
        // ONNX rounds a size that follows from a scale down.
        long[] size = sizes is not null ? sizes[2..] : [(long)(x.shape[2] * scales![2]), (long)(x.shape[3] * scales[3])];
        // Versions before 11 map places as "asymmetric" does.
        var places = call.Text("coordinate_transformation_mode", call.Opset < 11 ? "asymmetric" : "half_pixel");
        var mode = call.Text("mode", "nearest");
        var grows = size[0] % x.shape[2] == 0 && size[1] % x.shape[3] == 0;
        return (mode, places) switch
        {
            // At whole factors every way of rounding but these two takes the same neighbour.
            ("nearest", "asymmetric")
                when grows && call.Text("nearest_mode", call.Opset < 11 ? "floor" : "round_prefer_floor") == "floor" => Repeat(x, size),
            ("nearest", "half_pixel" or "pytorch_half_pixel") when grows => Repeat(x, size),
            ("linear", "half_pixel" or "pytorch_half_pixel") => Interpolate(x, size, InterpolationMode.Bilinear, false),
            ("linear", "align_corners") => Interpolate(x, size, InterpolationMode.Bilinear, true),
            ("cubic", "half_pixel" or "pytorch_half_pixel") when IsTorchCubic(call) => Interpolate(
                x,
                size,
                InterpolationMode.Bicubic,
                false
            ),
            ("cubic", "align_corners") when IsTorchCubic(call) => Interpolate(x, size, InterpolationMode.Bicubic, true),
            _ => throw new NotSupportedException($"a Resize of mode {mode} with {places}, which torch does not have"),
        };
    }

    // torch's cubic kernel has the constant -0.75 and takes pixels beyond the border from the border.
    private static bool IsTorchCubic(OperatorCall call) =>
        call.Float("cubic_coeff_a", -0.75f) == -0.75f && call.Int("exclude_outside", 0) == 0;

    private static Tensor Interpolate(Tensor x, long[] size, InterpolationMode mode, bool alignCorners) =>
        nn.functional.interpolate(x, size, mode: mode, align_corners: alignCorners);

    private static Tensor Repeat(Tensor x, long[] size)
    {
        var (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3]);
        var (down, right) = (size[0] / h, size[1] / w);
        return x.reshape(n, c, h, 1, w, 1).expand(n, c, h, down, w, right).reshape(n, c, size[0], size[1]);
    }
}
