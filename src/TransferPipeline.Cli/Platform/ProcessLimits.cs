using System.Runtime.InteropServices;
using System.Text;

namespace TransferPipeline.Cli.Platform;

/// <summary>Limits of the process under which .NET itself cannot go on: its errors would name assemblies that are there.</summary>
internal static unsafe partial class ProcessLimits
{
    /// <summary>.NET keeps each assembly open: an extraction holds some 150 files, and heads of packages more.</summary>
    private const ulong LeastOpenFiles = 256;

    /// <summary>Writes one line when there is too little to start with.</summary>
    public static bool AreEnough()
    {
        // RLIMIT_NOFILE of Linux; .NET has raised the soft limit to the hard one by now.
        const int OpenFiles = 7;
        // The soft and the hard limit.
        var limits = stackalloc ulong[2];
        if (!OperatingSystem.IsLinux() || GetLimit(OpenFiles, limits) != 0 || limits[1] >= LeastOpenFiles)
            return true;
        // Not by Console, whose assemblies may be the ones that cannot be opened.
        var line = Encoding.UTF8.GetBytes(
            $"transfer: a process may open {limits[1]} files here, expected at least {LeastOpenFiles}; raise the limit (ulimit -n)\n"
        );
        fixed (byte* start = line)
            _ = Write(2, start, (nuint)line.Length);
        return false;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, ulong* limits);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, byte* bytes, nuint count);
}
