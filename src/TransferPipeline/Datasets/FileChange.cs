using System.Runtime.InteropServices;

namespace TransferPipeline.Datasets;

/// <summary>
/// What the file system says of a file and no program can set back: its number (inode) and the time of its last change of any kind.
/// Writing, renaming, copying over it, and setting its times (touch -r, cp -p, rsync -t) all change one of them.
/// </summary>
/// <param name="Number">The file's number in its file system.</param>
/// <param name="Time">Nanoseconds since 1970 UTC, from the file system's clock.</param>
internal readonly partial record struct FileChange(ulong Number, long Time)
{
    // statx(2) has one layout on all Linux platforms (linux/stat.h); stat(2) has not.
    private const int CurrentFolder = -100;
    private const uint WantedChangeTime = 0x80,
        WantedNumber = 0x100;
    private const int StructBytes = 256,
        NumberAt = 32,
        SecondsAt = 96,
        NanosecondsAt = 104;

    /// <summary>The file that a path leads to; null where it is not there, or the file system does not say.</summary>
    public static FileChange? Of(string path)
    {
        if (OperatingSystem.IsLinux())
            return OfLinux(path);
        // Other systems: a file that replaces another was made at another time.
        var file = FileBytes.Real(path);
        return file.Exists ? new FileChange(0, PhotoFiles.Nanoseconds(file.CreationTimeUtc)) : null;
    }

    private static unsafe FileChange? OfLinux(string path)
    {
        var answer = stackalloc byte[StructBytes];
        if (StatX(CurrentFolder, path, 0, WantedChangeTime | WantedNumber, answer) != 0)
            return null;
        var given = *(uint*)answer;
        if ((given & WantedChangeTime) == 0 || (given & WantedNumber) == 0)
            return null;
        return new(*(ulong*)(answer + NumberAt), *(long*)(answer + SecondsAt) * 1_000_000_000 + *(uint*)(answer + NanosecondsAt));
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int folder, string path, int flags, uint wanted, byte* answer);
}
