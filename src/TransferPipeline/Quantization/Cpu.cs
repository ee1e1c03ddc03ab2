using System.Runtime.Intrinsics.X86;

namespace TransferPipeline.Quantization;

/// <summary>What this machine's CPU does with products of 8-bit integers.</summary>
internal static class Cpu
{
    /// <summary>
    /// x86 without VNNI multiplies by VPMADDUBSW, which adds two products of unsigned and signed bytes in 16 bits and saturates:
    /// 2 x 255 x 127 = 64,770 is beyond 32,767.
    /// </summary>
    public static bool SaturatesIn16Bits => X86Base.IsSupported && !HasVnni();

    /// <summary>In words for people and recipes.</summary>
    public static string Name =>
        !X86Base.IsSupported ? "not x86"
        : HasAmx() ? "x86 with AMX"
        : HasVnni() ? "x86 with VNNI"
        : "x86 without VNNI";

    /// <summary>The levels that a choice means on this CPU.</summary>
    public static WeightRange Resolve(WeightRange range) =>
        range != WeightRange.Auto ? range
        : SaturatesIn16Bits ? WeightRange.Reduced
        : WeightRange.Full;

    /// <summary>CPUID leaf 7: AVX512_VNNI is bit 11 of ECX, AVX-VNNI bit 4 of EAX of subleaf 1 (Intel SDM, volume 2A).</summary>
    private static bool HasVnni()
    {
        if (X86Base.CpuId(0, 0).Eax < 7)
            return false;
        var wide = (X86Base.CpuId(7, 0).Ecx & (1 << 11)) != 0 && Avx512BW.IsSupported;
        return wide || ((X86Base.CpuId(7, 1).Eax & (1 << 4)) != 0 && Avx2.IsSupported);
    }

    /// <summary>CPUID leaf 7: AMX-INT8 is bit 25 of EDX.</summary>
    private static bool HasAmx() => X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 0).Edx & (1 << 25)) != 0;
}
