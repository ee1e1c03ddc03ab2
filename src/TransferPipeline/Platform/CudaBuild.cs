using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Platform;

/// <summary>
/// The CUDA build of ONNX Runtime, which is over ten times as large as that for CPUs and therefore a package of its own. It is loaded in
/// place of the program's from a folder of <see cref="NativePackages.Variable"/> or, on a machine with NVIDIA's driver, from NuGet's
/// package folder. On Linux x64 only.
/// </summary>
internal static class CudaBuild
{
    public const string Provider = "libonnxruntime_providers_cuda.so";

    private const string Package = "Microsoft.ML.OnnxRuntime.Gpu.Linux";
    private const string Runtime = "libonnxruntime.so";

    private static readonly Lazy<string?> Found = new(() =>
        NativePackages.Platform != "linux-x64" || BesideTheProgram(Provider) is not null ? null : FolderAmong(Candidates())
    );

    /// <summary>The folder that ONNX Runtime is loaded from in place of the program's own, or null.</summary>
    public static string? Folder => Found.Value;

    /// <summary>The command that fetches the package of the version that fits.</summary>
    public static string FetchCommand => NativePackages.FetchCommand(Package, Version);

    private static string Version => NativePackages.VersionOf(typeof(CudaBuild).Assembly, "OnnxRuntimeGpu");

    /// <summary>Decides when ONNX Runtime's assembly is loaded, so that commands without it do not pay for the search.</summary>
    public static void Install() =>
        AppDomain.CurrentDomain.AssemblyLoad += static (_, loaded) =>
        {
            if (loaded.LoadedAssembly.GetName().Name == "Microsoft.ML.OnnxRuntime" && Folder is not null)
                UseInstead(loaded.LoadedAssembly);
        };

    /// <summary>The first folder that holds the runtime and its CUDA provider; the runtime looks for providers beside itself.</summary>
    internal static string? FolderAmong(IEnumerable<string> folders) =>
        folders.FirstOrDefault(f => File.Exists(Path.Combine(f, Runtime)) && File.Exists(Path.Combine(f, Provider)));

    /// <summary>Full path of a native library of the program's own, or null.</summary>
    // Bundles have natives beside the program, plain builds below runtimes.
    public static string? BesideTheProgram(string file) =>
        new[] { file, Path.Combine("runtimes", "linux-x64", "native", file) }
            .Select(f => Path.Combine(AppContext.BaseDirectory, f))
            .FirstOrDefault(File.Exists);

    /// <summary>Without the driver the package is of no use, though it may be there for another program.</summary>
    private static IEnumerable<string> Candidates() =>
        HasDriver() ? NativePackages.NamedFolders.Append(NativePackages.FolderOf(Package, Version)) : NativePackages.NamedFolders;

    // The second is the GPU of Windows as its subsystem for Linux shows it.
    private static bool HasDriver() => File.Exists("/proc/driver/nvidia/version") || File.Exists("/dev/dxg");

    // A method of its own: it is compiled only when the assembly is there, whose load it must not cause itself.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void UseInstead(Assembly onnxRuntime)
    {
        // An assembly has one resolver, and ONNX Runtime would set its own.
        OrtEnv.DisableDllImportResolver = true;
        NativeLibrary.SetDllImportResolver(
            onnxRuntime,
            static (name, _, _) => name == "onnxruntime" ? NativeLibrary.Load(Path.Combine(Folder!, Runtime)) : 0
        );
    }
}
