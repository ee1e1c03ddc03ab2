using TransferPipeline.Inference;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.Inference;

/// <summary>A backbone whose sums a CPU would saturate is warned of.</summary>
public sealed class IntegerArithmeticTests
{
    [Theory]
    [InlineData(64, true, false)]
    [InlineData(-64, true, false)]
    [InlineData(65, true, true)]
    [InlineData(-127, true, true)]
    [InlineData(127, false, false)]
    public void Warning_OfWeights_DependsOnTheirRangeAndTheCpu(int weight, bool saturates, bool warns)
    {
        var graph = new GraphProto();
        graph.Initializer.Add(TensorData.Of("w", [(sbyte)0, (sbyte)weight], [2]));
        var node = new NodeProto { OpType = "DequantizeLinear" };
        node.Input.AddRange(["w", "scale", "zero"]);
        graph.Node.Add(node);
        Assert.Equal(warns, IntegerArithmetic.Warning(graph, saturates) is not null);
    }

    [Fact]
    public void Warning_OfAFloatBackbone_IsNone() => Assert.Null(IntegerArithmetic.Warning(new(), saturates: true));
}
