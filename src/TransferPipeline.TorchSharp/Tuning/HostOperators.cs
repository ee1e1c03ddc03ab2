using TransferPipeline.Onnx;
using static TransferPipeline.TorchSharp.Tuning.HostShapes;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>Operators on shapes and constants.</summary>
internal static class HostOperators
{
    private static readonly Dictionary<string, Func<OperatorCall, HostArray>> Table = new(StringComparer.Ordinal)
    {
        ["Shape"] = Shape,
        ["Size"] = call => HostArray.Of([Count(call.Inputs[0]!.Shape)]),
        ["Constant"] = Constant,
        ["ConstantOfShape"] = ConstantOfShape,
        ["Identity"] = call => call.Constant(0),
        ["Cast"] = call => Cast(call.Constant(0), (TensorProto.Types.DataType)call.Int("to", 1)),
        ["CastLike"] = call => call.Constant(0).To(call.Constant(1).Kind),
        ["Range"] = Range,
        ["Add"] = call => HostMath.Binary(call, (a, b) => a + b, (a, b) => a + b),
        ["Sub"] = call => HostMath.Binary(call, (a, b) => a - b, (a, b) => a - b),
        ["Mul"] = call => HostMath.Binary(call, (a, b) => a * b, (a, b) => a * b),
        ["Div"] = call => HostMath.Binary(call, HostMath.Quotient, (a, b) => a / b),
        ["Mod"] = HostMath.Mod,
        // Exact below 2^53, and shapes are smaller.
        ["Pow"] = call => HostMath.Binary(call, (a, b) => (long)Math.Pow(a, b), Math.Pow),
        ["Min"] = call => HostMath.Binary(call, Math.Min, Math.Min),
        ["Max"] = call => HostMath.Binary(call, Math.Max, Math.Max),
        ["Neg"] = call => HostMath.Unary(call, a => -a, a => -a),
        ["Abs"] = call => HostMath.Unary(call, Math.Abs, Math.Abs),
        ["Floor"] = call => HostMath.Unary(call, a => a, Math.Floor),
        ["Ceil"] = call => HostMath.Unary(call, a => a, Math.Ceiling),
        ["Round"] = call => HostMath.Unary(call, a => a, Math.Round),
        ["Sqrt"] = call => HostMath.Unary(call, null, Math.Sqrt),
        ["Reciprocal"] = call => HostMath.Unary(call, null, a => 1 / a),
        ["Not"] = call => HostMath.Unary(call, a => 1 - a, null),
        ["And"] = call => HostMath.Compare(call, (a, b) => a != 0 && b != 0),
        ["Or"] = call => HostMath.Compare(call, (a, b) => a != 0 || b != 0),
        ["Xor"] = call => HostMath.Compare(call, (a, b) => a != 0 ^ b != 0),
        ["Equal"] = call => HostMath.Compare(call, (a, b) => a == b),
        ["Less"] = call => HostMath.Compare(call, (a, b) => a < b),
        ["LessOrEqual"] = call => HostMath.Compare(call, (a, b) => a <= b),
        ["Greater"] = call => HostMath.Compare(call, (a, b) => a > b),
        ["GreaterOrEqual"] = call => HostMath.Compare(call, (a, b) => a >= b),
        ["ReduceProd"] = call => HostMath.Reduce(call, (a, b) => a * b),
        ["ReduceSum"] = call => HostMath.Reduce(call, (a, b) => a + b),
        ["ReduceMax"] = call => HostMath.Reduce(call, Math.Max),
        ["ReduceMin"] = call => HostMath.Reduce(call, Math.Min),
        ["Where"] = HostLayout.Where,
        ["Reshape"] = call => HostLayout.Reshape(call),
        ["Flatten"] = HostLayout.Flatten,
        ["Squeeze"] = HostLayout.Squeeze,
        ["Unsqueeze"] = HostLayout.Unsqueeze,
        ["Transpose"] = HostLayout.Transpose,
        ["Concat"] = HostLayout.Concat,
        ["Slice"] = HostLayout.Slice,
        ["Gather"] = HostLayout.Gather,
        ["Expand"] = HostLayout.Expand,
        ["Tile"] = HostLayout.Tile,
        ["ScatterND"] = HostLayout.ScatterNd,
    };

    public static bool Knows(string op) => Table.ContainsKey(op);

    /// <returns>Null when the values must be computed by libtorch.</returns>
    public static HostArray? Run(OperatorCall call) =>
        (call.IsHost || call.Op is "Shape" or "Size") && Table.TryGetValue(call.Op, out var run) ? run(call) : null;

    private static HostArray Shape(OperatorCall call)
    {
        var shape = call.Inputs[0]!.Shape;
        var (first, last) = (call.Int("start", 0), call.Int("end", shape.Length));
        var (start, count) = HostShapes.Slice(shape.Length, first, last, 1);
        return HostArray.Vector(shape.AsSpan((int)start, (int)count).ToArray());
    }

    private static HostArray Constant(OperatorCall call)
    {
        var value = call.Node.Attribute[0];
        return value.Name switch
        {
            "value" => HostArray.Of(value.T),
            "value_float" => HostArray.Of([value.F]),
            "value_floats" => HostArray.Of([.. value.Floats], value.Floats.Count),
            "value_int" => HostArray.Of([value.I]),
            "value_ints" => HostArray.Vector([.. value.Ints]),
            _ => throw new NotSupportedException($"a Constant with {value.Name}"),
        };
    }

    private static HostArray ConstantOfShape(OperatorCall call)
    {
        var dims = call.Constant(0).Integers;
        var value = call.Node.Attribute("value")?.T is { } tensor ? HostArray.Of(tensor) : HostArray.Of([0f]);
        // Place 0 for all: the one value is repeated.
        return value.Take(dims, new int[Count(dims)]);
    }

    private static HostArray Cast(HostArray value, TensorProto.Types.DataType to) =>
        to switch
        {
            TensorProto.Types.DataType.Float or TensorProto.Types.DataType.Double => value.To(HostKind.Real),
            TensorProto.Types.DataType.Int64 or TensorProto.Types.DataType.Int32 => value.To(HostKind.Integer),
            TensorProto.Types.DataType.Bool => value.To(HostKind.Truth),
            _ => throw new NotSupportedException($"a Cast to {to}"),
        };

    private static HostArray Range(OperatorCall call)
    {
        var (start, limit, step) = (call.Constant(0), call.Constant(1), call.Constant(2));
        if (step.At(0) == 0)
            throw new InvalidDataException("a Range has step 0");
        var count = Math.Max(0, (int)Math.Ceiling((limit.At(0) - start.At(0)) / step.At(0)));
        return start.Kind == HostKind.Real
            ? HostArray.Of([.. Enumerable.Range(0, count).Select(i => (float)(start.At(0) + i * step.At(0)))], count)
            : HostArray.Of([.. Enumerable.Range(0, count).Select(i => start.Integers[0] + i * step.Integers[0])], count);
    }
}
