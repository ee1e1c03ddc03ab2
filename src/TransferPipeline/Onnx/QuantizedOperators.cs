namespace TransferPipeline.Onnx;

/// <summary>Operators that compute in 8 bits or convert to and from them.</summary>
internal static class QuantizedOperators
{
    /// <summary>
    /// ONNX's own (QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear, QLinearConv, QLinearMatMul, ConvInteger,
    /// MatMulInteger), and those of ONNX Runtime's domain com.microsoft (QLinearAdd and others, QGemm, QAttention,
    /// DynamicQuantizeMatMul, MatMulIntegerToFloat).
    /// </summary>
    public static bool IsQuantized(this NodeProto node) =>
        node.OpType is "QuantizeLinear" or "DequantizeLinear" or "ConvInteger" or "QGemm" or "QAttention"
        || node.OpType.StartsWith("QLinear", StringComparison.Ordinal)
        || node.OpType.StartsWith("DynamicQuantize", StringComparison.Ordinal)
        || node.OpType.StartsWith("MatMulInteger", StringComparison.Ordinal);
}
