using System.Runtime.InteropServices;
using System.Text;

namespace TransferPipeline.Cli.Platform;

/// <summary>Limits of the process under which .NET itself cannot go on: its errors would name assemblies that are there.</summary>
internal static unsafe partial class ProcessLimits
{
    /// <summary>.NET keeps each assembly open: an extraction holds some 150 files, and heads of packages more.</summary>
    private const ulong LeastOpenFiles = 256;

    /// <summary>
    /// Of address space, KiB: below some 3,000,000 .NET ends at any place, as its compiler finds no memory, and below some 3,500,000 ONNX
    /// Runtime loads no backbone.
    /// </summary>
    private const ulong LeastAddressSpace = 3_500_000;

    /// <summary>Writes one line when there is too little to start with.</summary>
    public static bool AreEnough()
    {
        if (!OperatingSystem.IsLinux())
            return true;
        // RLIMIT_NOFILE and RLIMIT_AS of Linux; .NET has raised the soft limit of files to the hard one by now.
        var (files, space) = (Limit(7, soft: false), Limit(9, soft: true) / 1024);
        var problem =
            files < LeastOpenFiles ? $"may open {files} files here, expected at least {LeastOpenFiles}; raise the limit (ulimit -n)"
            : space < LeastAddressSpace
                ? $"may use {space} KiB of address space here, expected at least {LeastAddressSpace}; raise the limit (ulimit -v)"
            : null;
        if (problem is null)
            return true;
        // Not by Console, whose assemblies may be the ones that cannot be opened.
        var line = Encoding.UTF8.GetBytes($"transfer: a process {problem}\n");
        fixed (byte* start = line)
            _ = Write(2, start, (nuint)line.Length);
        return false;
    }

    /// <summary>The largest number where the system does not tell it.</summary>
    private static ulong Limit(int resource, bool soft)
    {
        // The soft and the hard limit.
        var limits = stackalloc ulong[2];
        return GetLimit(resource, limits) == 0 ? limits[soft ? 0 : 1] : ulong.MaxValue;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, ulong* limits);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, byte* bytes, nuint count);
}
