using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.Onnx;

/// <summary>Files that compute in 8 bits are recognized by their operators.</summary>
public sealed class QuantizedOperatorsTests
{
    [Theory]
    [InlineData("QuantizeLinear", true)]
    [InlineData("DequantizeLinear", true)]
    [InlineData("DynamicQuantizeLinear", true)]
    [InlineData("DynamicQuantizeMatMul", true)]
    [InlineData("QLinearConv", true)]
    [InlineData("QLinearAdd", true)]
    [InlineData("QGemm", true)]
    [InlineData("QAttention", true)]
    [InlineData("ConvInteger", true)]
    [InlineData("MatMulInteger", true)]
    [InlineData("MatMulIntegerToFloat", true)]
    [InlineData("Conv", false)]
    [InlineData("MatMul", false)]
    [InlineData("QuickGelu", false)]
    [InlineData("Attention", false)]
    public void IsQuantized_OfEachKind(string type, bool expected) => Assert.Equal(expected, new NodeProto { OpType = type }.IsQuantized());
}
