using TransferPipeline.Onnx;
using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Comparisons, truth values, and choices by them.</summary>
internal static class Comparisons
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            ["Equal"] = call => call.Data(0).eq(call.Data(1)),
            ["Less"] = call => call.Data(0).lt(call.Data(1)),
            ["LessOrEqual"] = call => call.Data(0).le(call.Data(1)),
            ["Greater"] = call => call.Data(0).gt(call.Data(1)),
            ["GreaterOrEqual"] = call => call.Data(0).ge(call.Data(1)),
            ["Not"] = call => call.Data(0).logical_not(),
            ["And"] = call => call.Data(0).logical_and(call.Data(1)),
            ["Or"] = call => call.Data(0).logical_or(call.Data(1)),
            ["Where"] = call => where(call.Data(0), call.Data(1), call.Data(2)),
            ["Cast"] = call => call.Data(0).to(Type((TensorProto.Types.DataType)call.Int("to", 1))),
            ["CastLike"] = call => call.Data(0).to(call.Data(1).dtype),
        };

    private static ScalarType Type(TensorProto.Types.DataType type) =>
        type switch
        {
            TensorProto.Types.DataType.Float => ScalarType.Float32,
            // All integers are 64-bit, as in HostArray.
            TensorProto.Types.DataType.Int64 or TensorProto.Types.DataType.Int32 => ScalarType.Int64,
            TensorProto.Types.DataType.Bool => ScalarType.Bool,
            _ => throw new NotSupportedException($"a Cast to {type}"),
        };
}
