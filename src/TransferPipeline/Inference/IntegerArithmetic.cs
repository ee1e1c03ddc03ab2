using System.Runtime.Intrinsics.X86;
using TransferPipeline.Onnx;

namespace TransferPipeline.Inference;

/// <summary>What this machine's CPU does with products of 8-bit integers.</summary>
internal static class IntegerArithmetic
{
    /// <summary>Two products of weights of this magnitude with the largest activation fit into 16 bits: 2 x 255 x 64 = 32,640.</summary>
    public const int ReducedWeight = 64;

    /// <summary>
    /// x86 without VNNI multiplies by VPMADDUBSW, which adds two products of unsigned and signed bytes in 16 bits and saturates:
    /// 2 x 255 x 127 = 64,770 is beyond 32,767.
    /// </summary>
    public static bool SaturatesIn16Bits => X86Base.IsSupported && !HasVnni();

    /// <summary>In words for people.</summary>
    public static string Cpu =>
        !X86Base.IsSupported ? "not x86"
        : HasAmx() ? "x86 with AMX"
        : HasVnni() ? "x86 with VNNI"
        : "x86 without VNNI";

    /// <summary>One line when weights of a graph are so large that this CPU's sums may saturate, else null.</summary>
    public static string? Warning(GraphProto graph, bool saturates)
    {
        if (!saturates)
            return null;
        // Both forms of quantized graphs: float operators between DequantizeLinear, and operators on integers.
        var layers = graph.Node.Where(n =>
            n.OpType is "DequantizeLinear" or "QLinearConv" or "QLinearMatMul" or "QGemm" or "MatMulInteger"
        );
        var inputs = layers.SelectMany(n => n.Input).ToHashSet(StringComparer.Ordinal);
        return graph.Initializer.Any(t => inputs.Contains(t.Name) && HasLargeWeights(t))
            ? "this CPU has no VNNI: sums of the backbone's 8-bit weights may saturate, and vectors may be wrong; make the backbone anew "
                + "with 'transfer models quantize --weight-range reduced'"
            : null;
    }

    /// <summary>Zero points are of int8 too, but are 0.</summary>
    private static bool HasLargeWeights(TensorProto tensor) =>
        (TensorProto.Types.DataType)tensor.DataType == TensorProto.Types.DataType.Int8
        && TensorData.Inline(tensor).RawData.Span.ContainsAnyExcept(Small);

    // As bytes, so that raw data is searched without a copy as sbyte.
    private static readonly System.Buffers.SearchValues<byte> Small = System.Buffers.SearchValues.Create([
        .. Enumerable.Range(-ReducedWeight, (2 * ReducedWeight) + 1).Select(v => (byte)(sbyte)v),
    ]);

    /// <summary>CPUID leaf 7: AVX512_VNNI is bit 11 of ECX, AVX-VNNI bit 4 of EAX of subleaf 1 (Intel SDM, volume 2A).</summary>
    private static bool HasVnni()
    {
        // A leaf beyond the last is answered with the last one's bits (Intel SDM, volume 2A).
        if (X86Base.CpuId(0, 0).Eax < 7)
            return false;
        // CPUID alone is not enough: the system has to save the registers too, which .NET's own tests include.
        var wide = (X86Base.CpuId(7, 0).Ecx & (1 << 11)) != 0 && Avx512BW.IsSupported;
        return wide || ((X86Base.CpuId(7, 1).Eax & (1 << 4)) != 0 && Avx2.IsSupported);
    }

    /// <summary>CPUID leaf 7: AMX-INT8 is bit 25 of EDX.</summary>
    private static bool HasAmx() => X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 0).Edx & (1 << 25)) != 0;
}
