using System.Runtime.Intrinsics.X86;
using TransferPipeline.Onnx;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>
/// Training with products in bfloat16, as torch.autocast does it; TorchSharp 0.107 has no autocast for the CPU. Weights, sums over shards,
/// optimizer and all other operators stay float32.
/// </summary>
internal static class Bfloat16
{
    /// <summary>Null where this CPU multiplies bfloat16 faster than float32; otherwise what it lacks.</summary>
    // AVX512_BF16 alone is slower than float32 (docs/results.md).
    public static string? Problem => HasAmx() ? null : "this CPU has no AMX, without which bf16 is slower than fp32";

    /// <summary>Operators that multiply matrices. Depthwise and grouped convolutions are no faster in bfloat16.</summary>
    public static bool IsProduct(NodeProto node) =>
        node.OpType is "MatMul" or "Gemm" || (node.OpType == "Conv" && node.Int("group", 1) == 1);

    /// <summary>Whether rounding to bfloat16 does not change a number.</summary>
    public static bool IsExact(double value) => (float)value == value && (BitConverter.SingleToUInt32Bits((float)value) & 0xffff) == 0;

    /// <summary>In float32; the tensor itself where it is float32 already.</summary>
    public static Tensor Widened(this Tensor tensor) => tensor.dtype == ScalarType.BFloat16 ? tensor.to(ScalarType.Float32) : tensor;

    /// <summary>CPUID leaf 7: AMX-BF16 is bit 22 of EDX (Intel SDM, volume 2A).</summary>
    private static bool HasAmx() =>
        // A leaf beyond the last is answered with the last one's bits. libtorch's products in bfloat16 need AVX-512 besides.
        X86Base.IsSupported
        && X86Base.CpuId(0, 0).Eax >= 7
        && Avx512BW.IsSupported
        && (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0;
}
