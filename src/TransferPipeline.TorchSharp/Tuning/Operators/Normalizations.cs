using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Normalizations.</summary>
internal static class Normalizations
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            ["BatchNormalization"] = BatchNormalization,
            ["LayerNormalization"] = LayerNormalization,
            ["InstanceNormalization"] = InstanceNormalization,
            ["GroupNormalization"] = GroupNormalization,
            ["RMSNormalization"] = RmsNormalization,
            ["LpNormalization"] = LpNormalization,
            ["LRN"] = LocalResponse,
        };

    /// <summary>In training, torch's train mode: the batch's statistics, and running ones that follow them.</summary>
    private static Tensor BatchNormalization(OperatorCall call) =>
        nn.functional.batch_norm(
            call.Data(0),
            call.Data(3),
            call.Data(4),
            call.Data(1),
            call.Data(2),
            training: call.Run.IsTraining,
            // ONNX's momentum is the share that is kept, torch's the share that is new.
            momentum: 1 - call.Float("momentum", 0.9f),
            eps: call.Float("epsilon", 1e-5f)
        );

    private static Tensor LayerNormalization(OperatorCall call)
    {
        var x = call.Data(0);
        // libtorch wants weights of the whole normalized shape; ONNX lets them broadcast.
        var shape = x.shape[HostShapes.Axis(call.Int("axis", -1), (int)x.dim())..];
        return nn.functional.layer_norm(
            x,
            shape,
            call.Data(1).expand(shape),
            call.DataOrNull(2)?.expand(shape),
            call.Float("epsilon", 1e-5f)
        );
    }

    private static Tensor InstanceNormalization(OperatorCall call) =>
        nn.functional.instance_norm(call.Data(0), weight: call.Data(1), bias: call.Data(2), eps: call.Float("epsilon", 1e-5f));

    /// <summary>Up to opset 20 with one factor per group, then with one per channel.</summary>
    private static Tensor GroupNormalization(OperatorCall call)
    {
        var (x, groups, scale, bias) = (call.Data(0), call.Int("num_groups", 1), call.Data(1), call.Data(2));
        if (scale.shape[0] != x.shape[1])
            (scale, bias) = (PerChannel(scale), PerChannel(bias));
        return nn.functional.group_norm(x, groups, scale, bias, call.Float("epsilon", 1e-5f));

        Tensor PerChannel(Tensor perGroup) => perGroup.unsqueeze(1).expand(groups, x.shape[1] / groups).reshape(-1);
    }

    private static Tensor RmsNormalization(OperatorCall call)
    {
        var x = call.Data(0);
        var first = HostShapes.Axis(call.Int("axis", -1), (int)x.dim());
        long[] axes = [.. Enumerable.Range(first, (int)x.dim() - first).Select(a => (long)a)];
        return x * (x * x).mean(axes, keepdim: true).add(Scalars.Of(call.Float("epsilon", 1e-5f)), Scalars.One).rsqrt() * call.Data(1);
    }

    private static Tensor LpNormalization(OperatorCall call)
    {
        var x = call.Data(0);
        long[] axis = [HostShapes.Axis(call.Int("axis", -1), (int)x.dim())];
        return x / (call.Int("p", 2) == 1 ? x.abs().sum(axis, keepdim: true) : (x * x).sum(axis, keepdim: true).sqrt());
    }

    private static Tensor LocalResponse(OperatorCall call)
    {
        var size = call.Int("size", 1);
        // torch and ONNX center an even window differently.
        if (size % 2 == 0)
            throw new NotSupportedException("an LRN over an even number of channels");
        return nn.functional.local_response_norm(
            call.Data(0),
            size,
            call.Float("alpha", 0.0001f),
            call.Float("beta", 0.75f),
            call.Float("bias", 1)
        );
    }
}
