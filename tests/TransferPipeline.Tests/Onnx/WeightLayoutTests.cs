using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.Onnx;

/// <summary>Where outputs, inputs and products are in the weights of each layer.</summary>
public sealed class WeightLayoutTests
{
    [Theory]
    [InlineData("Conv", 0, new long[] { 2, 3, 2, 2 }, 0, new[] { 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11 })]
    [InlineData("Gemm", 1, new long[] { 2, 3 }, 0, new[] { 0, 1, 2 })]
    [InlineData("Gemm", 0, new long[] { 3, 2 }, 1, new[] { 0, 2, 4 })]
    [InlineData("MatMul", 0, new long[] { 3, 2 }, 1, new[] { 0, 2, 4 })]
    public void Layout_NamesTheProductsOfAnOutput(string operation, long transB, long[] dims, int axis, int[] first)
    {
        var node = new NodeProto { OpType = operation };
        if (transB != 0)
            node.Attribute.Add(OnnxAttributes.Create("transB", transB));
        var layout = WeightLayout.Of(node, dims)!.Value;
        Assert.Equal(axis, layout.Axis);
        Assert.Equal(first, Enumerable.Range(0, layout.Length).Select(k => layout.Index(0, k)));
        for (var output = 0; output < layout.Outputs; output++)
        {
            for (var k = 0; k < layout.Length; k++)
            {
                var index = layout.Index(output, k);
                Assert.Equal((output, k % layout.Inputs), (layout.OutputOf(index), layout.InputOf(index)));
            }
        }
    }

    [Theory]
    [InlineData("Softmax", new long[] { 3, 2 })]
    [InlineData("MatMul", new long[] { 4, 3, 2 })]
    [InlineData("Conv", new long[] { 3, 2 })]
    public void OtherWeights_HaveNone(string operation, long[] dims) =>
        Assert.Null(WeightLayout.Of(new NodeProto { OpType = operation }, dims));
}
