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
        var y = nn.functional.conv2d(x, w, call.FactorOrNull(2), window.Strides, window.Before, window.Dilations, call.Int("group", 1));
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
        return nn.functional.conv_transpose2d(
            x,
            w,
            call.DataOrNull(2),
            window.Strides,
            window.Before,
            call.Ints("output_padding") ?? [0, 0],
            window.Dilations,
            call.Int("group", 1)
        );
    }
}
