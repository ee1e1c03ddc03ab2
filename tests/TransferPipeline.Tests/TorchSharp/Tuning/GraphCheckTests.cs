using TransferPipeline.Onnx;
using TransferPipeline.TorchSharp.Tuning;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

public sealed class GraphCheckTests
{
    [Theory]
    [InlineData(
        "NonZero",
        "",
        "node 'n' (NonZero) cannot be trained through: this program has no derivative of it; choose a cut behind it"
    )]
    [InlineData(
        "QLinearConv",
        "",
        "node 'n' (QLinearConv) belongs to a quantized graph, which has no derivative; take the float32 file that it was made from"
    )]
    [InlineData(
        "DequantizeLinear",
        "",
        "node 'n' (DequantizeLinear) belongs to a quantized graph, which has no derivative; take the float32 file that it was made from"
    )]
    [InlineData(
        "FusedConv",
        "com.microsoft",
        "node 'n' (FusedConv) is of the domain 'com.microsoft' and not of ONNX itself; take the file as it was before an optimizer"
    )]
    public void Problem_NamesTheNodeAndTheCure(string op, string domain, string expected) =>
        Assert.Equal(
            expected,
            Problem(node =>
            {
                node.OpType = op;
                node.Domain = domain;
            })
        );

    [Fact]
    public void Problem_RefusesTrainingExportsAndHalfPrecision()
    {
        Assert.StartsWith(
            "node 'n' (BatchNormalization) is a TRAINING export",
            Problem(node =>
            {
                node.OpType = "BatchNormalization";
                node.Attribute.Add(OnnxAttributes.Create("training_mode", 1L));
            })
        );
        Assert.Contains(
            "half precision",
            Problem(node =>
            {
                node.OpType = "Cast";
                node.Attribute.Add(OnnxAttributes.Create("to", (long)TensorProto.Types.DataType.Float16));
            })
        );
        var graph = OperatorCases.All["Relu"].Create();
        graph.Model.Graph.Initializer.Add(TensorData.Of("half", [(Half)1], [1]));
        Assert.StartsWith("the weight 'half' is of half precision", new TorchTuner().Problem(graph));
    }

    [Fact]
    public void Problem_RefusesAPartWithoutWeights()
    {
        var graph = OperatorCases.All["Relu"].Create();
        graph.Model.Graph.Node[0].OpType = "Sub";
        graph.Model.Graph.Node[0].Input[1] = "cut";
        Assert.Equal("no layer with weights lies between the cut and the feature; choose an earlier cut", new TorchTuner().Problem(graph));
    }

    [Fact]
    public void Problem_RefusesTheQuantizedBackbone() =>
        Assert.Contains(
            "quantized graph",
            new TorchTuner().Problem(TunedParts.Whole(SharedData.RequireModel("efficientnet-lite0-int8.onnx")))
        );

    [Fact]
    public void Open_RefusesShapesThatDoNotFit()
    {
        TunedParts.RequireTorch();
        var graph = OperatorCases.All["MatMul"].Create();
        var error = Assert.Throws<BadInputException>(() => new TorchTuner().Open(graph with { Inputs = [new("cut", [4, 6, 7])] }, new()));
        Assert.Contains("(MatMul)", error.Message);
        error = Assert.Throws<BadInputException>(() =>
            new TorchTuner().Open(graph with { Head = graph.Head with { Dimension = 2, Weights = new float[6] } }, new())
        );
        Assert.Contains("has 144 values per photo, but the head takes 2", error.Message);
    }

    /// <summary>Arithmetic of shapes that cannot be computed names its node.</summary>
    [Theory]
    [InlineData("Div", "4 cannot be divided by 0")]
    [InlineData("Mod", "4 cannot be divided by 0")]
    [InlineData("Range", "a Range has step 0")]
    public void Open_RefusesShapesThatCannotBeComputed(string op, string expected)
    {
        TunedParts.RequireTorch();
        var graph = OperatorCases.All["Reshape"].Create();
        var onnx = graph.Model.Graph;
        onnx.Initializer.Add(TensorData.Of("four", [4L], []));
        onnx.Initializer.Add(TensorData.Of("zero", [0L], []));
        var node = new NodeProto
        {
            OpType = op,
            Name = "wrong",
            Output = { "made" },
        };
        node.Input.AddRange(op == "Range" ? ["zero", "four", "zero"] : ["four", "zero"]);
        onnx.Node.Insert(0, node);
        onnx.Node.Single(n => n.OpType == "Reshape").Input[1] = "made";
        var error = Assert.Throws<BadInputException>(() => new TorchTuner().Open(graph, new()));
        Assert.Contains($"node 'wrong' ({op}): {expected}", error.Message, StringComparison.Ordinal);
    }

    private static string? Problem(Action<NodeProto> change)
    {
        var graph = OperatorCases.All["Relu"].Create();
        var node = graph.Model.Graph.Node.Single(n => n.OpType == "Relu");
        node.Name = "n";
        change(node);
        return new TorchTuner().Problem(graph);
    }
}
