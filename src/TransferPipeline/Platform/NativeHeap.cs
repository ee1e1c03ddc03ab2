namespace TransferPipeline.Platform;

/// <summary>Memory that native libraries have freed and the C library still holds, or should hold.</summary>
internal static class NativeHeap
{
    // M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of mallopt(3).
    private const int TrimThreshold = -1,
        MapThreshold = -3,
        Gigabyte = 1 << 30;

    private static bool _hasTrim = true;
    private static bool _hasOptions = true;

    /// <summary>
    /// Gives freed memory back to the system; glibc keeps up to twice its largest small block, 64 MB, for each thread that allocated.
    /// </summary>
    public static void Trim()
    {
        if (!_hasTrim || !OperatingSystem.IsLinux())
            return;
        try
        {
            _ = LibC.TrimHeap(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Musl and other C libraries have no such cache.
            _hasTrim = false;
        }
    }

    /// <summary>
    /// Keeps freed memory for the next allocation, until <see cref="Trim"/>. By default glibc maps each large block anew, and the system
    /// clears its pages one by one: 12 % of a training step's time.
    /// </summary>
    public static void Reuse()
    {
        if (!_hasOptions || !OperatingSystem.IsLinux())
            return;
        try
        {
            _ = LibC.SetHeapOption(MapThreshold, Gigabyte);
            _ = LibC.SetHeapOption(TrimThreshold, Gigabyte);
        }
        catch (EntryPointNotFoundException)
        {
            // Musl and other C libraries decide by themselves.
            _hasOptions = false;
        }
    }
}
