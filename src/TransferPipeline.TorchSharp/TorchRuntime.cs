using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp;

/// <summary>libtorch, loaded once. One thread an operation, since its sums depend on their number; heads train beside each other instead.</summary>
internal static class TorchRuntime
{
    private static readonly Lazy<string?> Loaded = new(Load);

    /// <summary>Null when libtorch is there; otherwise the reason and the cure.</summary>
    public static string? Unavailable => Loaded.Value;

    /// <exception cref="UsageException">CUDA was asked for and cannot be used.</exception>
    public static Device Device(string head, string name)
    {
        if (name == "cuda" && !cuda.is_available())
            throw new UsageException($"{head}: device is 'cuda', but TorchSharp finds no CUDA device; use device=cpu, or build with GPU=1 on a machine with an NVIDIA driver");
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
