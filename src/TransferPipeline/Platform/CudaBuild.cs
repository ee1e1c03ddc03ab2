using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Platform;

/// <summary>
/// The CUDA build of ONNX Runtime, which is over ten times as large as that for CPUs and therefore a package of its own. It is loaded in
/// place of the program's from the program's folder, from a folder of <see cref="NativePackages.Variable"/> or, on a machine with NVIDIA's
/// driver, from NuGet's package folder. On Linux x64 only.
/// </summary>
internal static class CudaBuild
{
    public const string Provider = "libonnxruntime_providers_cuda.so";

    private const string Runtime = "libonnxruntime.so";
    private const string Package = "Microsoft.ML.OnnxRuntime.Gpu.Linux";
    private const string SupportedPlatform = "linux-x64";

    /// <summary>Bundles have natives beside the program, plain builds below runtimes.</summary>
    private static readonly string[] OwnFolders =
    [
        .. NativeLibraries.OwnFolders,
        Path.Combine(AppContext.BaseDirectory, "runtimes", SupportedPlatform, "native"),
    ];

    private static readonly Lazy<string?> Found = new(() =>
        NativePackages.Platform == SupportedPlatform ? FolderAmong(OwnFolders.Concat(Candidates())) : null
    );

    private static bool _isTooLate;

    /// <summary>The folder that ONNX Runtime is loaded from when it holds the CUDA provider, or null.</summary>
    public static string? Folder => Found.Value;

    /// <summary>The command that fetches the package of the version that fits.</summary>
    public static string FetchCommand => NativePackages.FetchCommand(Package, Version);

    private static string Version => NativePackages.VersionOf(typeof(CudaBuild).Assembly, "OnnxRuntimeGpu");

    /// <summary>Where the CUDA build was searched, and the cure, for a process whose ONNX Runtime has no CUDA.</summary>
    public static string WhyNone() =>
        _isTooLate
            ? $"{Folder} has the CUDA build, but this program called ONNX Runtime before TransferPipeline: call TransferPipeline first"
            : WhyNone(
                NativePackages.Platform,
                Folder,
                [.. NativePackages.NamedFolders],
                NativePackages.FolderOf(Package, Version),
                HasDriver()
            );

    /// <summary>Decides when ONNX Runtime's assembly is loaded, so that commands without it do not pay for the search.</summary>
    public static void Install()
    {
        AppDomain.CurrentDomain.AssemblyLoad += static (_, loaded) => UseInsteadOf(loaded.LoadedAssembly);
        // A program that uses ONNX Runtime itself may have loaded it before this library.
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies())
            UseInsteadOf(assembly);
    }

    /// <summary>The first folder that holds the runtime and its CUDA provider; the runtime looks for providers beside itself.</summary>
    internal static string? FolderAmong(IEnumerable<string> folders) =>
        folders.FirstOrDefault(f => File.Exists(Path.Combine(f, Runtime)) && File.Exists(Path.Combine(f, Provider)));

    /// <summary>Null where GPUs are used, else the reason.</summary>
    internal static string? OtherPlatform(string platform) =>
        platform == SupportedPlatform ? null : $"GPUs are used on {SupportedPlatform} only, this is {platform}";

    /// <param name="used">The folder that was taken for the CUDA build, or null.</param>
    /// <param name="named">The folders that the user names.</param>
    /// <param name="package">Where NuGet would have the package.</param>
    internal static string WhyNone(string platform, string? used, IReadOnlyList<string> named, string package, bool hasDriver)
    {
        if (OtherPlatform(platform) is { } other)
            return other;
        if (used is not null)
            return $"{used} holds {Provider}, but its {Runtime} is for the CPU alone: copy all files of the package there, or none";
        var ofNamed = named.Select(f => $"{f} ({State(f)})").DefaultIfEmpty("not set");
        var ofPackage = FolderAmong([package]) is null
            ? State(package)
            : $"without the NVIDIA driver it is used only when {NativePackages.Variable} names it";
        return $"searched: the program's folder; {NativePackages.Variable}: {string.Join(", ", ofNamed)}; NuGet's {package} ({ofPackage}). "
            + $"'{FetchCommand}' brings it to an installed tool, 'make GPU=1' to a build from source";

        static string State(string folder) =>
            !Directory.Exists(folder) ? "not there"
            : File.Exists(Path.Combine(folder, Provider)) ? $"has {Provider}, but not {Runtime}"
            : $"has no {Provider}";
    }

    /// <summary>Without the driver the package is of no use, though it may be there for another program.</summary>
    private static IEnumerable<string> Candidates() =>
        HasDriver() ? NativePackages.NamedFolders.Append(NativePackages.FolderOf(Package, Version)) : NativePackages.NamedFolders;

    // The second is the GPU of Windows as its subsystem for Linux shows it.
    private static bool HasDriver() => File.Exists("/proc/driver/nvidia/version") || File.Exists("/dev/dxg");

    private static void UseInsteadOf(Assembly loaded)
    {
        if (loaded.GetName().Name == "Microsoft.ML.OnnxRuntime" && Folder is not null)
            UseInstead(loaded);
    }

    // A method of its own: it is compiled only when the assembly is there, whose load it must not cause itself.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void UseInstead(Assembly onnxRuntime)
    {
        // An assembly has one resolver, and ONNX Runtime would set its own.
        OrtEnv.DisableDllImportResolver = true;
        try
        {
            NativeLibrary.SetDllImportResolver(
                onnxRuntime,
                static (name, _, _) => name == "onnxruntime" ? NativeLibrary.Load(Path.Combine(Folder!, Runtime)) : 0
            );
        }
        catch (InvalidOperationException)
        {
            // It has called its native library already, which stays.
            _isTooLate = true;
        }
    }
}
