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
            ["Sum"] = call => Fold(call, Scalars.Plus),
            ["Mean"] = call => Fold(call, Scalars.Plus).div(Scalars.Of(call.Inputs.Length)),
        };

    private static Tensor Add(OperatorCall call)
    {
        if (Scalar(call, 1) is { } right)
            return call.Data(0).add(Scalars.Of(right), Scalars.One);
        if (Scalar(call, 0) is { } left)
            return call.Data(1).add(Scalars.Of(left), Scalars.One);
        var (a, b) = (call.Data(0), call.Data(1));
        // A result in place has the shape of its operand, so that broadcasting needs a new tensor.
        if (!a.shape.AsSpan().SequenceEqual(b.shape))
            return a.Plus(b);
        return call.MayOverwrite(0) ? a.Plus_(b)
            : call.MayOverwrite(1) ? b.Plus_(a)
            : a.Plus(b);
    }

    private static Tensor Subtract(OperatorCall call) =>
        Scalar(call, 1) is { } right ? call.Data(0).sub(Scalars.Of(right))
        : Scalar(call, 0) is { } left ? call.Data(1).neg().add(Scalars.Of(left), Scalars.One)
        : call.Data(0) - call.Data(1);

    private static Tensor Multiply(OperatorCall call) =>
        Scalar(call, 1) is { } right ? call.Data(0).mul(Scalars.Of(right))
        : Scalar(call, 0) is { } left ? call.Data(1).mul(Scalars.Of(left))
        : call.Data(0) * call.Data(1);

    private static Tensor Divide(OperatorCall call) =>
        Scalar(call, 1) is { } right ? call.Data(0).div(Scalars.Of(right)) : call.Data(0) / call.Data(1);

    private static Tensor Power(OperatorCall call) =>
        Scalar(call, 1) is { } exponent ? call.Data(0).pow(Scalars.Of(exponent)) : call.Data(0).pow(call.Data(1));

    /// <summary>Of real numbers ONNX knows C's fmod only.</summary>
    private static Tensor Modulo(OperatorCall call) => call.Data(0).fmod(call.Data(1));

    private static Tensor Fold(OperatorCall call, Func<Tensor, Tensor, Tensor> function)
    {
        // With one input the result would be that very object, which counts as overwritten (GraphRun).
        var result = call.Data(0).alias();
        for (var i = 1; i < call.Inputs.Length; i++)
            result = function(result, call.Data(i));
        return result;
    }

    /// <summary>One constant beside a tensor: libtorch takes it as a number.</summary>
    private static float? Scalar(OperatorCall call, int input) =>
        call.Inputs[1 - input]?.Tensor is { } other ? call.Scalar(input, (int)other.dim()) : null;
}
