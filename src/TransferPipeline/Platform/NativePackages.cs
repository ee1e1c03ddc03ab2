using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace TransferPipeline.Platform;

/// <summary>
/// Native libraries that a program may come without, since they are large: they are then found in a folder that the user names, or in
/// NuGet's package folder, where <c>dotnet package download</c> puts them.
/// </summary>
internal static class NativePackages
{
    /// <summary>Folders with native libraries, which precede all others but the program's own.</summary>
    public const string Variable = "TRANSFER_NATIVES";

    private static readonly ConcurrentDictionary<string, string> Registered = new();

    /// <summary>The platform as packages name it; RuntimeInformation's may be that of one Linux distribution.</summary>
    public static string Platform { get; } =
        (
            OperatingSystem.IsWindows() ? "win"
            : OperatingSystem.IsMacOS() ? "osx"
            : "linux"
        ) + $"-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

    /// <summary>The folders that the user names.</summary>
    public static IEnumerable<string> NamedFolders =>
        (Environment.GetEnvironmentVariable(Variable) ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The folders that are there, in the order in which they are searched.</summary>
    public static IEnumerable<string> Folders => NamedFolders.Concat(Registered.Values).Where(Directory.Exists);

    /// <summary>Searches a package's folder from now on.</summary>
    /// <returns>The command that fetches the package.</returns>
    public static string Register(string id, string version)
    {
        Registered[id] = FolderOf(id, version);
        return FetchCommand(id, version);
    }

    public static string FetchCommand(string id, string version) => $"dotnet package download {id}@{version}";

    /// <summary>Where NuGet's package folder has a package's libraries of this platform, when the package is there.</summary>
    public static string FolderOf(string id, string version)
    {
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES");
        if (string.IsNullOrEmpty(packages))
            packages = Path.Combine(UserFolders.Home, ".nuget", "packages");
        // NuGet lowers the case of identifiers in its package folder; file systems of Linux distinguish it.
        return Path.Combine(packages, id.ToLowerInvariant(), version, "runtimes", Platform, "native");
    }

    /// <summary>Has the runtime ask here for libraries that it does not find beside the program.</summary>
    public static void Install() => AssemblyLoadContext.Default.ResolvingUnmanagedDll += static (_, name) => Load(name);

    /// <summary>Loads a library, so that another one that needs it finds it; 0 when it is in none of the folders.</summary>
    /// <param name="name">As calls name it, without the system's prefix and suffix or with them.</param>
    public static nint Load(string name)
    {
        foreach (var folder in Folders)
        {
            foreach (var file in (string[])[NativeLibraries.FileName(name), name])
            {
                // The first file that loads wins; one of another platform is passed over without an error.
                if (Path.Combine(folder, file) is var path && File.Exists(path) && NativeLibrary.TryLoad(path, out var handle))
                    return handle;
            }
        }

        return 0;
    }

    /// <summary>The version of a package that a project was built with, from its assembly's metadata.</summary>
    public static string VersionOf(Assembly adapter, string key) =>
        adapter.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
