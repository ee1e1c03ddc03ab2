using System.Runtime.InteropServices;
using TransferPipeline.Platform;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp;

/// <summary>
/// libtorch, loaded once. One thread an operation, since its sums depend on their number; heads train beside each other instead.
/// </summary>
internal static class TorchRuntime
{
    private static readonly Lazy<string?> Loaded = new(Load);

    private const string OtherHeads = ", or take linear-sgd and mlp";

    /// <summary>Null when libtorch is loaded; otherwise the reason and the cure.</summary>
    public static string? Problem => Loaded.Value;

    /// <summary>As <see cref="Problem"/>, for heads, which other heads can stand in for.</summary>
    public static string? Unavailable => Problem is { } problem ? problem + OtherHeads : null;

    /// <summary>For heads: null when libtorch's files are there, whether they load or not; otherwise the reason and the cure.</summary>
    public static string? Missing => MissingFile is { } problem ? problem + OtherHeads : null;

    private static string? MissingFile { get; } =
        NativeLibraries.Absent(["LibTorchSharp", "torch", "torch_cpu", "c10"]) is { } file
            ? $"libtorch is not beside this program ({file} is missing on {RuntimeInformation.RuntimeIdentifier}): take a build or "
                + $"bundle that has it"
            : null;

    /// <exception cref="JobFailedException">CUDA was requested and cannot be used; the CPU never takes its place.</exception>
    public static Device Device(string head, TorchDevice wanted)
    {
        if (wanted == TorchDevice.Cuda && !cuda.is_available())
        {
            var reason = NativeLibrary.TryLoad("libcuda.so.1", out _)
                ? "this build's libtorch is for the CPU alone or finds no GPU: build with 'make GPU=1'"
                : "libcuda.so.1 is missing: install the NVIDIA driver and build with 'make GPU=1'";
            throw new JobFailedException($"{head}: device cuda cannot be used: {reason}, or use device=cpu");
        }

        return device(wanted == TorchDevice.Cuda ? "cuda" : "cpu");
    }

    /// <summary>
    /// Calls the system's loader first: TorchSharp's own writes a trace of what it tried to stdout, where results belong, and copies all of
    /// libtorch.
    /// </summary>
    private static string? Load()
    {
        if (MissingFile is not null)
            return MissingFile;
        if (NativeLibraries.Problem("LibTorchSharp", typeof(global::TorchSharp.torch).Assembly) is { } problem)
            return Reason(problem);
        try
        {
            InitializeDeviceType(global::TorchSharp.DeviceType.CPU);
            set_num_threads(1);
            return null;
        }
        catch (Exception e) when (e is NotSupportedException or TypeInitializationException or EntryPointNotFoundException)
        {
            return Reason((e.InnerException ?? e).Message.Split('\n', 2)[0].Trim());
        }
    }

    private static string Reason(string problem) => $"libtorch does not load on this machine ({problem}); install what it lacks";
}
