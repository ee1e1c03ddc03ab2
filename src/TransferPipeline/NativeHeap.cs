using System.Runtime.InteropServices;

namespace TransferPipeline;

/// <summary>Memory that native libraries have freed and the C library still holds.</summary>
internal static partial class NativeHeap
{
    private static bool _hasTrim = OperatingSystem.IsLinux();

    /// <summary>
    /// Gives freed memory back to the system; glibc keeps up to twice its largest small block, 64 MB, for each thread that allocated.
    /// </summary>
    public static void Trim()
    {
        if (!_hasTrim)
            return;
        try
        {
            _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Musl and other C libraries have no such cache.
            _hasTrim = false;
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);
}
