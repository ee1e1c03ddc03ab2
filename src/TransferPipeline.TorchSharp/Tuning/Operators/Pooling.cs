using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Pooling over windows and over whole maps.</summary>
internal static class Pooling
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            ["MaxPool"] = MaxPool,
            ["AveragePool"] = AveragePool,
            ["GlobalAveragePool"] = call => call.Data(0).mean(Spatial(call), keepdim: true),
            ["GlobalMaxPool"] = call => call.Data(0).amax(Spatial(call), keepdim: true),
        };

    private static Tensor MaxPool(OperatorCall call)
    {
        var (x, window, isLine) = Windowed(call);
        var ceil = call.Int("ceil_mode", 0) != 0;
        if (!FitsTorch(window))
            // Padding must never be the maximum.
            (x, window, ceil) = (window.Covering(x.shape, ceil).Pad(x, double.NegativeInfinity), window.Unpadded, false);
        var y = nn.functional.max_pool2d(x, window.Kernel, window.Strides, window.Before, window.Dilations, ceil);
        return isLine ? y.squeeze(2) : y;
    }

    private static Tensor AveragePool(OperatorCall call)
    {
        var (x, window, isLine) = Windowed(call);
        if (window.Dilations is not [1, 1])
            throw new NotSupportedException("an AveragePool with dilations");
        var (ceil, countsPadding) = (call.Int("ceil_mode", 0) != 0, call.Int("count_include_pad", 0) != 0);
        Tensor y;
        if (FitsTorch(window))
        {
            y = nn.functional.avg_pool2d(x, window.Kernel, window.Strides, window.Before, ceil, countsPadding);
        }
        else
        {
            // Sums of values divided by numbers of values that count; what the last place covers beyond the padding never does.
            var covering = window.Covering(x.shape, ceil);
            var beyond = covering with { Before = [0, 0], After = [.. covering.After.Zip(window.After, (all, pad) => all - pad)] };
            var ones = ones_like(x);
            y = Mean(covering.Pad(x, 0)) / Mean(countsPadding ? beyond.Pad(window.Pad(ones, 1), 0) : covering.Pad(ones, 0));
            Tensor Mean(Tensor values) => nn.functional.avg_pool2d(values, window.Kernel, window.Strides, [0, 0]);
        }

        return isLine ? y.squeeze(2) : y;
    }

    /// <summary>libtorch pads both ends alike, by at most half of the window.</summary>
    private static bool FitsTorch(Window window) => window.IsEven && !window.Before.Where((p, axis) => p * 2 > window.Kernel[axis]).Any();

    private static (Tensor X, Window Window, bool IsLine) Windowed(OperatorCall call)
    {
        var (x, kernel) = (call.Op == "MaxPool" ? call.AsMade(0) : call.Data(0), call.Ints("kernel_shape")!);
        if (kernel.Length > 2)
            throw new NotSupportedException($"{call.Op} over {kernel.Length} axes");
        var isLine = kernel.Length == 1;
        if (isLine)
            // A line is a map of height 1.
            (x, kernel) = (x.unsqueeze(2), [1, kernel[0]]);
        return (x, Window.Of(call, x.shape, kernel, isLine), isLine);
    }

    private static long[] Spatial(OperatorCall call) => [.. Enumerable.Range(2, (int)call.Data(0).dim() - 2).Select(a => (long)a)];
}
