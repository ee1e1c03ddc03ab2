using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Quantization;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Onnx;

/// <summary>
/// Layers of 8-bit weights with the largest activations beside exact sums, for each form of product. A CPU without VNNI saturates them,
/// unless weights fit in pairs or the session is set so.
/// </summary>
public sealed class ExactSumsTests
{
    private const int Side = 6;

    public static TheoryData<string> Layers =>
        ["pointwise", "stem", "even", "odd", "grouped", "multiplied", "depthwise", "gemm", "gemm-transposed", "matmul"];

    /// <summary>All weights are 127: without the option a CPU without VNNI gives half of the sum.</summary>
    [Theory]
    [MemberData(nameof(Layers))]
    public void FullWeights_WithTheOption_AreExact(string layer)
    {
        var model = Make(layer, (_, _) => 127);
        // A depthwise convolution does not add in pairs.
        Assert.Equal(layer != "depthwise", SaturatingWeights.In(model.Graph));
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        IntegerArithmetic.RequireExactSums(options, model.Graph);
        Compare(model, options);
    }

    /// <summary>Weights that fit only in the order in which this program expects ONNX Runtime to add them need no option.</summary>
    [Theory]
    [MemberData(nameof(Layers))]
    public void WeightsThatFitInPairs_AreExactByThemselves(string layer)
    {
        // 127 and 1, then 1 and 127: in another order 127 would meet 127.
        int[] weights = [127, 1, 1, 127];
        var model = Make(layer, (output, k) => weights[((k / 2 * 2) + (output % 2 * 2) + (k % 2)) % 4]);
        Assert.False(SaturatingWeights.In(model.Graph));
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        Compare(model, options);
    }

    /// <summary>The other form of a quantized graph, and operators whose products nobody knows here.</summary>
    [Theory]
    [InlineData("QLinearConv", "", 3, true)]
    [InlineData("MatMulInteger", "", 1, true)]
    [InlineData("QAttention", "com.microsoft", 1, true)]
    [InlineData("Gather", "", 0, false)]
    public void Operators_OnIntegers_AreKnown(string operation, string domain, int input, bool saturates)
    {
        var graph = new GraphProto();
        long[] dims = operation == "QLinearConv" ? [1, 2, 1, 1] : [2, 1];
        graph.Initializer.Add(TensorData.Of("w", [(sbyte)100, (sbyte)100], dims));
        var node = new NodeProto { OpType = operation, Domain = domain };
        node.Input.AddRange(Enumerable.Range(0, 4).Select(i => i == input ? "w" : $"x{i}"));
        graph.Node.Add(node);
        Assert.Equal(saturates, SaturatingWeights.In(graph));
        // Three dimensions, of which the order is not known, and fewer values than dimensions say.
        graph.Initializer[0] = TensorData.Of("w", [(sbyte)100, (sbyte)1], [1, 2, 1, 1, 1]);
        Assert.Equal(saturates && operation != "QLinearConv", SaturatingWeights.In(graph));
        // As typed values and not as raw data.
        var typed = new TensorProto { Name = "w", DataType = (int)DataType.Int8 };
        typed.Dims.AddRange(dims);
        typed.Int32Data.AddRange([100, 28]);
        graph.Initializer[0] = typed;
        Assert.Equal(saturates && domain.Length > 0, SaturatingWeights.In(graph));
    }

    /// <summary>QDQ around one layer; all pixels are the largest level.</summary>
    private static ModelProto Make(string layer, Func<int, int, int> weight)
    {
        // Outputs, inputs of a group, kernel, groups.
        var (outputs, inputs, kernel, groups) = layer switch
        {
            "pointwise" => (16, 32, 1, 1),
            "stem" => (16, 3, 3, 1),
            "even" => (16, 6, 3, 1),
            "odd" => (16, 5, 3, 1),
            "grouped" => (16, 8, 3, 2),
            "multiplied" => (16, 1, 3, 8),
            "depthwise" => (16, 1, 3, 16),
            _ => (16, 32, 1, 1),
        };
        var isConv = !layer.StartsWith("gemm", StringComparison.Ordinal) && layer != "matmul";
        var model = new ModelProto
        {
            IrVersion = 8,
            Graph = new() { Name = "sums" },
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 13 });
        long[] shape = isConv ? [1, inputs * groups, Side, Side] : [1, inputs];
        model.Graph.Input.Add(GraphWriter.Declare("input", DataType.Float, shape));
        var graph = new GraphWriter(model);
        long[] dims =
            isConv ? [outputs, inputs, kernel, kernel]
            : layer == "gemm-transposed" ? [outputs, inputs]
            : [inputs, outputs];
        var node = new NodeProto
        {
            OpType =
                isConv ? "Conv"
                : layer == "matmul" ? "MatMul"
                : "Gemm",
        };
        node.Attribute.Add(
            isConv ? OnnxAttributes.Create("group", (long)groups) : OnnxAttributes.Create("transB", layer == "gemm-transposed" ? 1L : 0L)
        );
        if (layer == "matmul")
            node.Attribute.Clear();
        var order = WeightLayout.Of(node, dims)!.Value;
        var weights = new sbyte[outputs * order.Length];
        for (var output = 0; output < outputs; output++)
        {
            for (var k = 0; k < order.Length; k++)
                weights[order.Index(output, k)] = (sbyte)weight(output, k);
        }

        graph.Graph.Initializer.Add(TensorData.Of("w", weights, dims));
        graph.Graph.Initializer.Add(TensorData.Of("w-zero", new sbyte[outputs], [outputs]));
        graph.Graph.Initializer.Add(TensorData.Of("x-zero", [(byte)0], []));
        graph.Graph.Initializer.Add(TensorData.Of("y-zero", [(byte)128], []));
        var one = graph.Constant("one", [1f]);
        var ones = graph.Constant("ones", [.. Enumerable.Repeat(1f, outputs)], outputs);
        // The largest sum, 288 products of 255 and 127, is 127 levels.
        var step = graph.Constant("step", [255 * 127 * order.Length / 127f]);
        Node("QuantizeLinear", ["input", one, "x-zero"], "x8");
        Node("DequantizeLinear", ["x8", one, "x-zero"], "x");
        Node("DequantizeLinear", ["w", ones, "w-zero"], "wf")
            .Attribute.Add(OnnxAttributes.Create("axis", isConv || layer == "gemm-transposed" ? 0L : 1L));
        node.Input.AddRange(["x", "wf"]);
        node.Output.Add("y");
        model.Graph.Node.Add(node);
        Node("QuantizeLinear", ["y", step, "y-zero"], "y8");
        Node("DequantizeLinear", ["y8", step, "y-zero"], "output");
        model.Graph.Output.Add(new ValueInfoProto { Name = "output" });
        return model;

        NodeProto Node(string operation, string[] from, string to)
        {
            var made = new NodeProto { OpType = operation, Name = to };
            made.Input.AddRange(from);
            made.Output.Add(to);
            model.Graph.Node.Add(made);
            return made;
        }
    }

    private static void Compare(ModelProto model, SessionOptions options)
    {
        int[] shape = [.. model.Graph.Input[0].Type.TensorType.Shape.Dim.Select(d => (int)d.DimValue)];
        var pixels = Enumerable.Repeat(255f, shape.Aggregate(1, (a, b) => a * b)).ToArray();
        var expected = ReferenceNetwork.Run(model, pixels, shape, "output").Values;
        using var session = new InferenceSession(model.ToByteArray(), options);
        using var input = OrtValue.CreateTensorValueFromMemory(pixels, [.. shape.Select(s => (long)s)]);
        using var run = new RunOptions();
        using var results = session.Run(run, ["input"], [input], ["output"]);
        var step = TensorData.Floats(model.Graph.Initializer.Single(i => i.Name == "step"))[0];
        var actual = results[0].GetTensorDataAsSpan<float>().ToArray();
        Assert.Equal(expected.Length, actual.Length);
        // One level, where float32 rounds a sum in the middle the other way.
        Assert.All(expected.Zip(actual), v => Assert.InRange(v.Second - v.First, -step, step));
        Assert.Contains(expected, v => Math.Abs(v) > 10 * step);
    }
}
