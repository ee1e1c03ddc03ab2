using TorchSharp;
using TransferPipeline.Onnx;
using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;
using GELU = TorchSharp.Modules.GELU;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Activation functions and other functions of one value.</summary>
internal static class Activations
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            ["Relu"] = call => call.MayOverwrite(0) ? call.AsMade(0).relu_() : call.AsMade(0).relu(),
            ["Clip"] = Clip,
            ["LeakyRelu"] = call => call.Data(0).leaky_relu(Scalars.Of(call.Float("alpha", 0.01f))),
            ["PRelu"] = PRelu,
            ["ThresholdedRelu"] = ThresholdedRelu,
            ["Elu"] = call => call.Data(0).elu(Scalars.Of(call.Float("alpha", 1)), Scalars.Of(1), Scalars.Of(1)),
            ["Celu"] = call => call.Data(0).celu(Scalars.Of(call.Float("alpha", 1))),
            ["Selu"] = Selu,
            ["Gelu"] = Gelu,
            ["Mish"] = call => call.Data(0) * Softplus(call.Data(0)).tanh(),
            ["Swish"] = Swish,
            ["HardSwish"] = call => call.Data(0).hardswish(),
            ["HardSigmoid"] = HardSigmoid,
            ["Sigmoid"] = call => call.Data(0).sigmoid(),
            ["Tanh"] = call => call.Data(0).tanh(),
            ["Softplus"] = call => Softplus(call.Data(0)),
            ["Softsign"] = call => call.Data(0) / call.Data(0).abs().add(Scalars.Of(1), Scalars.One),
            ["Erf"] = call => call.Data(0).erf(),
            ["Exp"] = call => call.Data(0).exp(),
            ["Log"] = call => call.Data(0).log(),
            ["Sqrt"] = call => call.Data(0).sqrt(),
            ["Reciprocal"] = call => call.Data(0).reciprocal(),
            ["Abs"] = call => call.Data(0).abs(),
            ["Neg"] = call => call.Data(0).neg(),
            ["Sign"] = call => call.Data(0).sign(),
            ["Floor"] = call => call.Data(0).floor(),
            ["Ceil"] = call => call.Data(0).ceil(),
            ["Round"] = call => call.Data(0).round(),
            ["Sin"] = call => call.Data(0).sin(),
            ["Cos"] = call => call.Data(0).cos(),
            ["Softmax"] = call => Softmax(call, (x, axis) => x.softmax(axis)),
            ["LogSoftmax"] = call => Softmax(call, (x, axis) => x.log_softmax(axis)),
            ["Dropout"] = Dropout,
        };

    /// <summary>
    /// With both limits as torch's hardtanh, whose derivative is 0 at the limits, as that of ReLU6. TorchSharp 0.107's hardtanh, without
    /// the underscore, gives its input back.
    /// </summary>
    private static Tensor Clip(OperatorCall call)
    {
        var min = call.ConstantOrNull(1)?.At(0) ?? call.Node.Attribute("min")?.F;
        var max = call.ConstantOrNull(2)?.At(0) ?? call.Node.Attribute("max")?.F;
        var x = Bfloat16.IsExact(min ?? 0) && Bfloat16.IsExact(max ?? 0) ? call.AsMade(0) : call.Data(0);
        return (min, max) switch
        {
            (null, null) => x.alias(),
            // hardtanh_ overwrites its input, which others may still need.
            ({ } low, { } high) => (call.MayOverwrite(0) ? x : x.clone()).hardtanh_(Scalars.Of(low), Scalars.Of(high)),
            (0, null) => call.MayOverwrite(0) ? x.relu_() : x.relu(),
            _ => x.clamp(min is null ? null : Scalars.Of(min.Value), max is null ? null : Scalars.Of(max.Value)),
        };
    }

    private static Tensor PRelu(OperatorCall call)
    {
        var x = call.Data(0);
        return where(x.gt(Scalars.Of(0)), x, x * call.Data(1));
    }

    private static Tensor ThresholdedRelu(OperatorCall call)
    {
        var x = call.Data(0);
        return where(x.gt(Scalars.Of(call.Float("alpha", 1))), x, zeros_like(x));
    }

    private static Tensor Selu(OperatorCall call) =>
        call.Data(0)
            .elu(
                Scalars.Of(call.Float("alpha", 1.67326319217681884765625f)),
                Scalars.Of(call.Float("gamma", 1.05070102214813232421875f)),
                Scalars.Of(1)
            );

    // TorchSharp's softplus makes a number that a garbage collection may free during the call (Scalars).
    private static Tensor Softplus(Tensor x) => nn.functional.logsigmoid(x.neg()).neg();

    private static Tensor Gelu(OperatorCall call) =>
        nn.functional.gelu(call.Data(0), call.Text("approximate", "none") == "tanh" ? GELU.Approximate.tanh : GELU.Approximate.none);

    private static Tensor Swish(OperatorCall call)
    {
        var (x, alpha) = (call.Data(0), call.Float("alpha", 1));
        return alpha == 1 ? x.silu() : x * x.mul(Scalars.Of(alpha)).sigmoid();
    }

    private static Tensor HardSigmoid(OperatorCall call)
    {
        var (alpha, beta) = (call.Float("alpha", 0.2f), call.Float("beta", 0.5f));
        // torch's own, as its exporter writes it.
        if (alpha == 1f / 6 && beta == 0.5f)
            return call.Data(0).hardsigmoid();
        return call.Data(0).mul(Scalars.Of(alpha)).add_(Scalars.Of(beta), Scalars.One).hardtanh_(Scalars.Of(0), Scalars.Of(1));
    }

    /// <summary>Before opset 13 all axes from the given one on are one, by default from the second on.</summary>
    private static Tensor Softmax(OperatorCall call, Func<Tensor, long, Tensor> function)
    {
        var x = call.Data(0);
        var axis = HostShapes.Axis(call.Int("axis", call.Opset < 13 ? 1 : -1), (int)x.dim());
        // The two definitions agree where the axis is the last one.
        if (call.Opset >= 13 || axis == x.dim() - 1)
            return function(x, axis);
        var rows = HostShapes.Count(x.shape.AsSpan(0, axis));
        return function(x.reshape(rows, -1), 1).reshape(x.shape);
    }

    /// <summary>Inference exports mean the identity by it; training drops values, by the run's own random stream.</summary>
    private static Tensor Dropout(OperatorCall call)
    {
        var ratio = call.ConstantOrNull(1)?.At(0) ?? call.Float("ratio", 0.5f);
        return call.Run.IsTraining && ratio > 0
            ? call.Data(0) * call.Run.DropoutMask(call.Planned, call.Data(0).shape, ratio)
            : call.Data(0).alias();
    }
}
