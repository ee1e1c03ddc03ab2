using System.Reflection;
using System.Runtime.InteropServices;
using TransferPipeline.Platform;

namespace TransferPipeline.LibjpegTurbo;

/// <summary>Finds libjpeg-turbo 3 at run time: beside the program, else in the system.</summary>
internal static class TurboLibrary
{
    /// <summary><c>off</c> for none, or the path of the library to use.</summary>
    public const string Variable = "TRANSFER_LIBJPEG_TURBO";

    private static readonly Lazy<Found> Library = new(() =>
    {
        var found = Search(Environment.GetEnvironmentVariable(Variable));
        if (found.Problem is null)
            // .NET allows one resolver per assembly, which is why it is set within the Lazy.
            NativeLibrary.SetDllImportResolver(
                Assembly.GetExecutingAssembly(),
                (name, _, _) => name == TurboJpeg.Library ? found.Handle : 0
            );
        return found;
    });

    /// <param name="Path">The library's file, or its name where the system does not reveal the file.</param>
    /// <param name="Problem">Why there is none to use, in one line; null when there is one.</param>
    internal sealed record Found(nint Handle, string Path, string? Problem);

    /// <summary>Why libjpeg-turbo cannot be used on this machine, in one line; null when it can.</summary>
    public static string? Problem => Library.Value.Problem;

    /// <summary>The library's file, or its name where the system does not reveal the file.</summary>
    public static string Path => Library.Value.Path;

    /// <summary>File names of the library on this system, the one with a version last.</summary>
    private static string[] Names =>
        OperatingSystem.IsWindows() ? ["turbojpeg.dll", "libturbojpeg.dll"]
        : OperatingSystem.IsMacOS() ? ["libturbojpeg.dylib", "libturbojpeg.0.dylib"]
        : ["libturbojpeg.so", "libturbojpeg.so.0"];

    /// <param name="choice">The value of <see cref="Variable"/>, or null.</param>
    internal static Found Search(string? choice)
    {
        if (choice == "off")
            return new(0, "", $"switched off by {Variable}=off");
        if (!string.IsNullOrEmpty(choice))
        {
            var chosen = Open([choice], inSystem: false);
            // A file that was named has no substitute: another library would hide that it does not work.
            return chosen.Problem is null
                ? chosen
                : throw new UsageException(
                    $"{Variable} is '{choice}', expected 'off' or the path of libjpeg-turbo 3: "
                        + $"{(File.Exists(choice) ? chosen.Problem : "there is no such file")}"
                );
        }

        var beside =
            from folder in Folders(RuntimeInformation.RuntimeIdentifier)
            from name in Names
            select System.IO.Path.Combine(AppContext.BaseDirectory, folder, name);
        var found = Open(beside, inSystem: false);
        if (found.Problem is null)
            return found;
        var system = Open(Names, inSystem: true);
        // An unfit file beside the program explains more than "not found" in the system.
        return system.Problem is null || found.Path == "" ? system : found;
    }

    /// <summary>The program's own folder, and those in which it keeps natives: packages name the platform, not a distribution.</summary>
    /// <param name="runtime">.NET's own identifier, such as linux-x64; ubuntu.24.04-x64 where a distribution built it.</param>
    internal static IEnumerable<string> Folders(string runtime) =>
        new[] { runtime, NativePackages.Platform }
            .Distinct()
            .Select(platform => System.IO.Path.Combine("runtimes", platform, "native"))
            .Prepend("");

    /// <summary>The first candidate that is libjpeg-turbo 3; else the reason against the first one that is there.</summary>
    internal static Found Open(IEnumerable<string> candidates, bool inSystem)
    {
        Found? unfit = null;
        foreach (var name in candidates)
        {
            if (!inSystem && !File.Exists(name))
                continue;
            if (!NativeLibrary.TryLoad(name, out var handle))
            {
                if (!inSystem)
                    unfit ??= new(0, name, NativeLibraries.Problem(name, typeof(TurboLibrary).Assembly));
                continue;
            }

            // The system's loader takes a bare name, and its file is known only once it is loaded.
            var path = inSystem ? LoadedLibraries.FileOf(name) : name;
            // By its functions, since TurboJPEG has no call for its version.
            if (TurboJpeg.Functions.FirstOrDefault(f => !NativeLibrary.TryGetExport(handle, f, out _)) is not { } missing)
                return new(handle, path, null);
            unfit ??= new(
                0,
                path,
                $"{path} is too old{(TurboVersion.Of(path) is { } version ? $" ({version})" : "")}: it lacks {missing}; expected "
                    + $"libjpeg-turbo 3.0 or newer"
            );
            NativeLibrary.Free(handle);
        }

        return unfit
            ?? new(0, "", "not found beside the program or in the system; JPEG is decoded by libvips, with the same pixels in more time");
    }
}
