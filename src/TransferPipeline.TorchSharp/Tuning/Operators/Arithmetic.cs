using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Elementwise operators of two and more values.</summary>
internal static class Arithmetic
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            ["Add"] = Add,
            ["Sub"] = Subtract,
            ["Mul"] = Multiply,
            ["Div"] = Divide,
            ["Pow"] = Power,
            ["Mod"] = Modulo,
            ["Min"] = call => Fold(call, minimum),
            ["Max"] = call => Fold(call, maximum),
            ["Sum"] = call => Fold(call, (a, b) => a + b),
            ["Mean"] = call => Fold(call, (a, b) => a + b) / call.Inputs.Length,
        };

    private static Tensor Add(OperatorCall call)
    {
        if (Scalar(call, 1) is { } right)
            return call.Data(0).add(right);
        if (Scalar(call, 0) is { } left)
            return call.Data(1).add(left);
        var (a, b) = (call.Data(0), call.Data(1));
        if (!a.shape.AsSpan().SequenceEqual(b.shape))
            return a + b;
        return call.MayOverwrite(0) ? a.add_(b)
            : call.MayOverwrite(1) ? b.add_(a)
            : a + b;
    }

    private static Tensor Subtract(OperatorCall call) =>
        Scalar(call, 1) is { } right ? call.Data(0).sub(right)
        : Scalar(call, 0) is { } left ? call.Data(1).neg().add(left)
        : call.Data(0) - call.Data(1);

    private static Tensor Multiply(OperatorCall call) =>
        Scalar(call, 1) is { } right ? call.Data(0).mul(right)
        : Scalar(call, 0) is { } left ? call.Data(1).mul(left)
        : call.Data(0) * call.Data(1);

    private static Tensor Divide(OperatorCall call) => Scalar(call, 1) is { } right ? call.Data(0).div(right) : call.Data(0) / call.Data(1);

    private static Tensor Power(OperatorCall call) =>
        Scalar(call, 1) is { } exponent ? call.Data(0).pow(exponent) : call.Data(0).pow(call.Data(1));

    /// <summary>Of real numbers ONNX knows C's fmod only.</summary>
    private static Tensor Modulo(OperatorCall call) => call.Data(0).fmod(call.Data(1));

    private static Tensor Fold(OperatorCall call, Func<Tensor, Tensor, Tensor> function)
    {
        var result = call.Data(0).alias();
        for (var i = 1; i < call.Inputs.Length; i++)
            result = function(result, call.Data(i));
        return result;
    }

    /// <summary>One constant beside a tensor: libtorch takes it as a number.</summary>
    private static float? Scalar(OperatorCall call, int input) =>
        call.Inputs[1 - input]?.Tensor is { } other ? call.Scalar(input, (int)other.dim()) : null;
}
