using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp;

/// <summary>
/// AMD's CPUs in virtual machines that tell nothing of their caches. Two libraries inside libtorch 2.10 do not expect that: oneDNN
/// (<see cref="Tuning.Operators.SafeConvolutions"/>) and NNPACK.
/// </summary>
internal static unsafe class HiddenCaches
{
    private const int LeafOfCaches = unchecked((int)0x8000001D);

    /// <summary>"cAMD", the end of AuthenticAMD.</summary>
    private const int EndOfAmd = 0x444D4163;

    public static bool AreHidden { get; } =
        // The type in bits 0 to 4 of the first cache is 0 where there is none (AMD64 manual, volume 3, E.4.15).
        X86Base.IsSupported
        && X86Base.CpuId(0, 0).Ecx == EndOfAmd
        && (X86Base.CpuId(LeafOfCaches, 0).Eax & 0x1f) == 0;

    /// <summary>NNPACK does not start on such a machine, and libtorch warns of that at each convolution.</summary>
    public static void SwitchOffNnpack()
    {
        // at::globalContext().setUserEnabledNNPACK(false), by the names of GCC and Clang; elsewhere the warnings stay.
        if (
            NativeLibrary.TryLoad("torch_cpu", typeof(global::TorchSharp.torch).Assembly, null, out var library)
            && NativeLibrary.TryGetExport(library, "_ZN2at13globalContextEv", out var context)
            && NativeLibrary.TryGetExport(library, "_ZN2at7Context20setUserEnabledNNPACKEb", out var enable)
        )
            ((delegate* unmanaged<nint, byte, void>)enable)(((delegate* unmanaged<nint>)context)(), 0);
    }
}
