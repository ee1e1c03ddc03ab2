using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp;

/// <summary>libtorch, loaded once. One thread an operation, since its sums depend on their number; heads train beside each other instead.</summary>
internal static class TorchRuntime
{
    private static readonly Lazy<string?> Loaded = new(Load);

    /// <summary>Null when libtorch is there; otherwise the reason and the cure.</summary>
    public static string? Unavailable => Loaded.Value;

    /// <exception cref="JobFailedException">CUDA was asked for and cannot be used; the CPU never takes its place.</exception>
    public static Device Device(string head, string name)
    {
        if (name == "cuda" && !cuda.is_available())
        {
            var reason = NativeLibrary.TryLoad("libcuda.so.1", out _)
                ? "this build's libtorch is for the CPU alone or finds no card: build with 'make GPU=1'"
                : "libcuda.so.1 is missing: install the NVIDIA driver and build with 'make GPU=1'";
            throw new JobFailedException($"{head}: device cuda cannot be used: {reason}, or use device=cpu");
        }

        return device(name);
    }

    private static string? Load()
    {
        try
        {
            InitializeDeviceType(global::TorchSharp.DeviceType.CPU);
            set_num_threads(1);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or NotSupportedException or TypeInitializationException or BadImageFormatException or EntryPointNotFoundException)
        {
            return $"libtorch does not load on this machine ({(e.InnerException ?? e).Message.Split('\n', 2)[0].Trim()}); install what it lacks or use the heads of this library";
        }
    }
}
