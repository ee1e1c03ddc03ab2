using System.Runtime.Intrinsics.X86;
using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Onnx;

/// <summary>What this machine's CPU does with products of 8-bit integers.</summary>
internal static class IntegerArithmetic
{
    /// <summary>Largest sum of two weights with the same sign whose products with 255 fit into 16 bits.</summary>
    public const int LargestPair = 128;

    /// <summary>
    /// x86 without VNNI multiplies by VPMADDUBSW, which adds two products of unsigned and signed bytes in 16 bits and saturates:
    /// 2 x 255 x 127 = 64,770 is beyond 32,767.
    /// </summary>
    public static bool SaturatesIn16Bits => X86Base.IsSupported && !HasVnni();

    /// <summary>What decides about the speed of int8, in words for people.</summary>
    public static string Cpu =>
        !X86Base.IsSupported ? "8-bit products in 32 bits"
        : HasAmx() ? "x86 with AMX"
        : HasVnni() ? "x86 with VNNI"
        : "x86 without VNNI";

    /// <summary>
    /// Whether the largest activation, 255, times two weights that are added in pairs fits into 16 bits: 255 x 128 = 32,640.
    /// Weights of -64 to 64 always fit.
    /// </summary>
    public static bool Fits(int first, int second) =>
        Math.Max(first, 0) + Math.Max(second, 0) <= LargestPair && Math.Min(first, 0) + Math.Min(second, 0) >= -LargestPair;

    /// <summary>Makes a session's sums exact where this CPU would saturate those of the graph.</summary>
    public static void RequireExactSums(SessionOptions options, GraphProto graph)
    {
        // ONNX Runtime then takes weights as unsigned bytes and multiplies in 16 bits, which takes half as long again. On a CPU with VNNI
        // the sums are exact in any case, and the option would take the fast instructions away.
        if (SaturatesIn16Bits && SaturatingWeights.In(graph))
            options.AddSessionConfigEntry("session.x64quantprecision", "1");
    }

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
