using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp;

/// <summary>
/// AMD's CPUs in virtual machines that tell nothing of their caches, which two libraries inside libtorch 2.10 do not expect.
/// </summary>
/// <remarks>
/// oneDNN 3.7 reads the cache sizes of AMD's CPUs from CPUID leaf 0x8000001D alone (xbyak_util.h: setCacheHierarchy). Where that is empty,
/// it finds a cache of one byte and moves the loops of every change of layout (jit_uni_reorder.cpp: prb_block_for_cache). With a block of
/// channels that is filled in part it then sets weights to 0, and memory behind them. NNPACK does not start, and libtorch warns of that at
/// each convolution.
/// </remarks>
internal static unsafe class HiddenCaches
{
    private const int LeafOfCaches = unchecked((int)0x8000001D);

    /// <summary>"cAMD", the end of AuthenticAMD.</summary>
    private const int EndOfAmd = 0x444D4163;

    /// <summary>
    /// at::globalContext, Context::setUserEnabledMkldnn and setUserEnabledNNPACK as GCC and Clang, and as Visual C++ name them.
    /// </summary>
    private static readonly string[][] Names =
    [
        ["_ZN2at13globalContextEv", "_ZN2at7Context20setUserEnabledMkldnnEb", "_ZN2at7Context20setUserEnabledNNPACKEb"],
        [
            "?globalContext@at@@YAAEAVContext@1@XZ",
            "?setUserEnabledMkldnn@Context@at@@QEAAX_N@Z",
            "?setUserEnabledNNPACK@Context@at@@QEAAX_N@Z",
        ],
    ];

    /// <summary>MKL_CBWR_AUTO: sums do not depend on where arrays lie in memory (oneMKL's guide, numerical reproducibility).</summary>
    private const int Reproducible = 2;

    public static bool AreHidden { get; } =
        // The type in bits 0 to 4 of the first cache is 0 where there is none (AMD64 manual, volume 3, E.4.15).
        X86Base.IsSupported
        && X86Base.CpuId(0, 0).Ecx == EndOfAmd
        && (X86Base.CpuId(LeafOfCaches, 0).Eax & 0x1f) == 0;

    /// <summary>
    /// Lets libtorch compute without both libraries, as torch.backends.mkldnn.enabled = False does, which TorchSharp 0.107 does not have.
    /// </summary>
    /// <returns>False where libtorch has no such switch.</returns>
    public static bool TrySwitchOff()
    {
        if (!NativeLibrary.TryLoad("torch_cpu", typeof(global::TorchSharp.torch).Assembly, null, out var library))
            return false;
        foreach (var names in Names)
        {
            if (!NativeLibrary.TryGetExport(library, names[0], out var context))
                continue;
            var owner = ((delegate* unmanaged<nint>)context)();
            foreach (var name in names[1..])
                ((delegate* unmanaged<nint, byte, void>)NativeLibrary.GetExport(library, name))(owner, 0);
            // The convolutions that take oneDNN's place are products of MKL on arrays of any alignment. MKL heeds this before its first
            // product alone.
            if (NativeLibrary.TryGetExport(library, "mkl_serv_cbwr_set", out var reproduce))
                _ = ((delegate* unmanaged<int, int>)reproduce)(Reproducible);
            return true;
        }

        return false;
    }
}
