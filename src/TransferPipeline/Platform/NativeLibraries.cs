using System.Reflection;
using System.Runtime.InteropServices;

namespace TransferPipeline.Platform;

/// <summary>Native libraries that packages bring.</summary>
internal static class NativeLibraries
{
    /// <summary>Loads a library as its package's calls would; null when it is loaded, else what is missing or wrong.</summary>
    /// <param name="name">Its name as those calls have it, or its path.</param>
    public static string? Problem(string name, Assembly caller)
    {
        try
        {
            NativeLibrary.Load(name, caller, null);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            return Reason(name, e.Message);
        }
    }

    /// <summary>Where .NET looks for natives of packages: the program's folder, and those that its list of dependencies names.</summary>
    public static string[] OwnFolders =>
        [
            AppContext.BaseDirectory,
            .. (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(
                Path.PathSeparator,
                StringSplitOptions.RemoveEmptyEntries
            ),
        ];

    /// <summary>
    /// Which of some libraries is in none of the folders where .NET or <see cref="NativePackages"/> looks for those of packages; null when
    /// all are there. Loads none.
    /// </summary>
    /// <param name="names">File names without the system's prefix and suffix: "torch_cpu" for libtorch_cpu.so.</param>
    /// <param name="folders">The folders; those of this process by default.</param>
    public static string? Absent(IEnumerable<string> names, IReadOnlyList<string>? folders = null)
    {
        folders ??= [.. OwnFolders, .. NativePackages.Folders];
        return names.Select(FileName).FirstOrDefault(file => !folders.Any(folder => File.Exists(Path.Combine(folder, file))));
    }

    public static string FileName(string name) =>
        OperatingSystem.IsWindows() ? $"{name}.dll"
        : OperatingSystem.IsMacOS() ? $"lib{name}.dylib"
        : $"lib{name}.so";

    /// <summary>
    /// The loader's message has a line for each place where it looked; only one about a file that is there, or about another library,
    /// states why.
    /// </summary>
    private static string Reason(string name, string message) =>
        message
            // The first line is .NET's own sentence; the loader's lines follow it.
            .Split('\n')
            .Skip(1)
            .Select(line => line.Trim())
            .FirstOrDefault(line =>
                line.Split(": ", 2) is [var subject, _]
                && (Path.IsPathRooted(subject) ? File.Exists(subject) : !subject.Contains(name, StringComparison.Ordinal))
            )
        ?? $"{name} is not there";
}
