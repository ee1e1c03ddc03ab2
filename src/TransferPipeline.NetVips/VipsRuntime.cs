using System.Reflection;
using System.Runtime.InteropServices;
using NetVips;
using TransferPipeline.Platform;

namespace TransferPipeline.NetVips;

/// <summary>
/// libvips, started once: one thread per decode, no operation cache, no warnings on stderr, no loader that is not hardened.
/// </summary>
internal static class VipsRuntime
{
    private static readonly Lazy<(string Version, string? Problem)> Started = new(Start);

    /// <summary>libvips' handler refers to it for as long as the process lives.</summary>
    private static readonly Log.LogDelegate Count = static (_, level, message) =>
    {
        // Some writers fill the last strip of JPEG up with rows below the picture (libtiff's tif_jpeg.c), which is no damage.
        if ((level & Enums.LogLevelFlags.Warning) != 0 && !message.Contains("exceeds expected dimensions", StringComparison.Ordinal))
            _warnings++;
    };

    [ThreadStatic]
    private static int _warnings;

    /// <summary>Warnings of damage by libvips and its libraries on this thread so far: each decode runs on its caller's.</summary>
    public static int Warnings => _warnings;

    /// <summary>The file that NetVips loads on this system.</summary>
    public static string Library { get; } =
        OperatingSystem.IsWindows() ? "libvips-42.dll"
        : OperatingSystem.IsMacOS() ? "libvips.42.dylib"
        : "libvips.so.42";

    /// <summary>Why libvips cannot be used, in one line; null when it can. Starts libvips if needed.</summary>
    public static string? Problem => Started.Value.Problem;

    /// <summary>Starts libvips if needed and returns its version.</summary>
    /// <exception cref="JobFailedException">The library is missing or cannot start.</exception>
    public static string Version =>
        Started.Value is { Problem: { } problem }
            ? throw new JobFailedException($"libvips does not start: {problem}")
            : Started.Value.Version;

    private static (string Version, string? Problem) Start()
    {
        // First, since it names the cause in one line; NetVips' exception lists all places where the loader looked.
        if (NativeLibraries.Problem(Library, typeof(Image).Assembly) is { } missing)
            return ("", missing);
        if (!ModuleInitializer.VipsInitialized)
            return ("", (ModuleInitializer.Exception?.Message ?? "unknown reason").ReplaceLineEndings(" "));
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.All, Count);
        // Workers decode photos side by side, and more threads per photo would compete with them.
        global::NetVips.NetVips.Concurrency = 1;
        // No operation occurs twice, and cached ones would hold memory of earlier photos.
        Cache.Max = 0;
        global::NetVips.NetVips.BlockUntrusted = true;
        // Imports of our own must reach the very library that NetVips has loaded, whose file has another name.
        NativeLibrary.SetDllImportResolver(
            Assembly.GetExecutingAssembly(),
            static (name, _, search) => name == VipsRows.Library ? NativeLibrary.Load(Library, typeof(Image).Assembly, search) : 0
        );
        VipsLineCache.Limit();
        return (string.Join('.', Enumerable.Range(0, 3).Select(part => global::NetVips.NetVips.Version(part))), null);
    }
}
