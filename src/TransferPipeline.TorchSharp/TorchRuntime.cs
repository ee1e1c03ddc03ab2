using System.Runtime.InteropServices;
using TransferPipeline.Platform;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp;

/// <summary>
/// libtorch, loaded once. One thread an operation, since its sums depend on their number; heads train beside each other instead.
/// </summary>
internal static class TorchRuntime
{
    private const string Wrapper = "LibTorchSharp";

    /// <summary>In the order in which they need each other.</summary>
    private static readonly string[] Libtorch = ["c10", "torch_cpu", "torch"];

    private static readonly Lazy<string?> Loaded = new(Load);

    private const string CudaPackage = "TorchSharp-cuda-linux";

    private const string OtherHeads = "; linear-sgd and mlp do without";

    /// <summary>Null when libtorch is loaded; otherwise the reason and the cure.</summary>
    public static string? Problem => Loaded.Value;

    /// <summary>As <see cref="Problem"/>, for heads, which other heads can stand in for.</summary>
    public static string? Unavailable => Problem is { } problem ? problem + OtherHeads : null;

    /// <summary>For heads: null when libtorch's files are there, whether they load or not; otherwise the reason and the cure.</summary>
    public static string? Missing => MissingFile is { } problem ? problem + OtherHeads : null;

    // From the files alone: listing the heads must not take the time of loading libtorch.
    private static string? MissingFile { get; } = FindMissing();

    private static string? FindMissing()
    {
        var adapter = typeof(TorchRuntime).Assembly;
        var fetch = NativePackages.Register($"libtorch-cpu-{NativePackages.Platform}", NativePackages.VersionOf(adapter, "Libtorch"));
        if (NativeLibraries.Absent([Wrapper, .. Libtorch]) is not { } file)
            return null;
        // TorchSharp has wrappers for the platforms that have a libtorch.
        return file == NativeLibraries.FileName(Wrapper)
            ? $"TorchSharp has no libtorch for {NativePackages.Platform} ({file} is missing)"
            : $"libtorch is not beside this program ({file} is missing): '{fetch}' fetches it";
    }

    /// <exception cref="JobFailedException">libtorch does not load, or CUDA was requested and cannot be used; the CPU never takes its
    /// place.</exception>
    public static Device Device(string head, TorchDevice wanted)
    {
        // Loading also limits libtorch to one thread, which no caller may go without.
        if (Problem is { } problem)
            throw new JobFailedException($"{head}: {problem}");
        if (wanted == TorchDevice.Cuda && !cuda.is_available())
        {
            // The driver's own library shows whether the driver is missing or libtorch has no CUDA.
            var reason = WhyNoCuda(NativePackages.Platform, NativeLibrary.TryLoad("libcuda.so.1", out _));
            throw new JobFailedException($"{head}: device cuda cannot be used: {reason}; or use device=cpu");
        }

        UseOneThread();
        return device(wanted == TorchDevice.Cuda ? "cuda" : "cpu");
    }

    /// <summary>
    /// One thread for each operator that the calling thread runs. OpenMP keeps this number per thread, and two threads would sum in
    /// another order.
    /// </summary>
    public static void UseOneThread() => set_num_threads(1);

    internal static string WhyNoCuda(string platform, bool hasDriver) =>
        CudaBuild.OtherPlatform(platform)
        ?? (
            hasDriver
                ? "libtorch is the build for CPUs, or finds no GPU; its CUDA build comes"
                : "libcuda.so.1 is missing: install the NVIDIA driver; libtorch's CUDA build comes"
        )
            + $" with 'make GPU=1' to a build from source, with the package {CudaPackage} to a program of your own, and to an "
            + $"installed tool in a folder that {NativePackages.Variable} names";

    /// <summary>
    /// Calls the system's loader first: TorchSharp's own writes a trace of what it tried to stdout, where results belong, and copies all of
    /// libtorch.
    /// </summary>
    private static string? Load()
    {
        if (MissingFile is not null)
            return MissingFile;
        // Where they lie elsewhere, the wrapper finds them only when they are loaded already. Two copies in one process end it.
        if (NativeLibraries.Absent(Libtorch, NativeLibraries.OwnFolders) is not null)
        {
            foreach (var library in Libtorch)
                _ = NativePackages.Load(library);
        }

        if (NativeLibraries.Problem(Wrapper, typeof(global::TorchSharp.torch).Assembly) is { } problem)
            return Reason(problem);
        try
        {
            InitializeDeviceType(global::TorchSharp.DeviceType.CPU);
            if (HiddenCaches.AreHidden && !HiddenCaches.TrySwitchOff())
                return "libtorch computes wrong convolutions on this virtual machine, which hides the sizes of an AMD CPU's caches";
            return null;
        }
        catch (Exception e) when (e is NotSupportedException or TypeInitializationException or EntryPointNotFoundException)
        {
            // What the static constructor of TorchSharp threw is inside a TypeInitializationException.
            return Reason((e.InnerException ?? e).FirstLine());
        }
    }

    private static string Reason(string problem) => $"libtorch does not load on this machine ({problem}); install what it lacks";
}
