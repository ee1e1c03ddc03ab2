using TorchSharp;
using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Convolutions over one or two axes.</summary>
internal static class Convolutions
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal) { ["Conv"] = Conv, ["ConvTranspose"] = Transposed };

    private static Tensor Conv(OperatorCall call)
    {
        var (x, w) = (call.Factor(0), call.Factor(1));
        var isLine = w.dim() == 3;
        if (isLine)
            (x, w) = (x.unsqueeze(2), w.unsqueeze(2));
        if (w.dim() != 4)
            throw new NotSupportedException($"a convolution over {w.dim() - 2} axes");
        var window = Window.Of(call, x.shape, w.shape[2..], isLine);
        // libtorch pads both ends alike.
        if (!window.IsEven)
            (x, window) = (window.Pad(x, 0), window.Unpadded);
        var (bias, groups) = (call.FactorOrNull(2), call.Int("group", 1));
        var y =
            IsUnsafe(x) && groups == 1
                ? SafeConvolutions.Convolve(x, w, bias, window)
                : nn.functional.conv2d(x, w, bias, window.Strides, window.Before, window.Dilations, groups);
        return isLine ? y.squeeze(2) : y;
    }

    private static Tensor Transposed(OperatorCall call)
    {
        var (x, w) = (call.Data(0), call.Data(1));
        if (w.dim() != 4 || call.Ints("output_shape") is not null || call.Text("auto_pad", "NOTSET") != "NOTSET")
            throw new NotSupportedException("a ConvTranspose that is not over two axes, or has output_shape or auto_pad");
        var window = Window.Of(call, x.shape, w.shape[2..], isLine: false);
        if (!window.IsEven)
            throw new NotSupportedException("a ConvTranspose with uneven padding");
        var (bias, groups, outputPadding) = (call.DataOrNull(2), call.Int("group", 1), call.Ints("output_padding") ?? [0, 0]);
        return IsUnsafe(x)
            ? SafeConvolutions.ConvolveTransposed(x, w, bias, window, outputPadding, groups)
            : nn.functional.conv_transpose2d(x, w, bias, window.Strides, window.Before, outputPadding, window.Dilations, groups);
    }

    private static bool IsUnsafe(Tensor x) => HiddenCaches.AreHidden && x.device_type == DeviceType.CPU;
}
