using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Platform;

/// <summary>
/// What the file system reports about a file and no program can set back: its number (inode) and the time of its last change of any kind.
/// Writing, renaming, copying over it, and setting its times (touch -r, cp -p, rsync -t) all change one of them.
/// </summary>
/// <param name="Number">The file's number in its file system.</param>
/// <param name="Time">Nanoseconds since 1970 UTC, from the file system's clock.</param>
internal readonly record struct FileChange(ulong Number, long Time)
{
    /// <summary>The file that a path leads to; null where it is not there, or the file system does not say.</summary>
    public static FileChange? Of(string path) =>
        OperatingSystem.IsLinux() ? OfLinux(path)
        : OperatingSystem.IsMacOS() ? OfMac(path)
        : OperatingSystem.IsWindows() ? OfWindows(path)
        : null;

    [SupportedOSPlatform("linux")]
    private static unsafe FileChange? OfLinux(string path)
    {
        // AT_FDCWD, and the offsets of stx_ino and stx_ctime in struct statx (linux/stat.h).
        const int CurrentFolder = -100,
            NumberAt = 32,
            SecondsAt = 96,
            NanosecondsAt = 104;
        // STATX_CTIME and STATX_INO.
        const uint WantedChangeTime = 0x80,
            WantedNumber = 0x100;
        var status = stackalloc byte[LibC.StatusBytes];
        if (LibC.StatX(CurrentFolder, path, 0, WantedChangeTime | WantedNumber, status) != 0)
            return null;
        // stx_mask comes first. A file system that lacks a field leaves its bit out, and the field then holds nothing of use.
        var given = *(uint*)status;
        if ((given & WantedChangeTime) == 0 || (given & WantedNumber) == 0)
            return null;
        return new(*(ulong*)(status + NumberAt), Nanoseconds(*(long*)(status + SecondsAt), *(uint*)(status + NanosecondsAt)));
    }

    /// <summary>Offsets of struct stat with 64-bit file numbers (sys/stat.h of macOS).</summary>
    [SupportedOSPlatform("macos")]
    private static unsafe FileChange? OfMac(string path)
    {
        const int NumberAt = 8,
            SecondsAt = 64,
            NanosecondsAt = 72;
        var status = stackalloc byte[LibC.StatusBytes];
        return LibC.Stat(path, status) == 0
            ? new(*(ulong*)(status + NumberAt), Nanoseconds(*(long*)(status + SecondsAt), *(long*)(status + NanosecondsAt)))
            : null;
    }

    [SupportedOSPlatform("windows")]
    private static unsafe FileChange? OfWindows(string path)
    {
        SafeFileHandle handle;
        try
        {
            // Share everything: reading a status must not fail, nor make others fail, while a program writes or renames the photo.
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        using (handle)
        {
            // File systems without change times (FAT, some shares) give 0.
            return
                Kernel32.GetFileInformation(handle, out var information)
                && Kernel32.GetFileInformation(handle, Kernel32.FileBasicInfo, out var basic, sizeof(Kernel32.BasicInfo))
                && basic.ChangeTime > 0
                ? new(
                    // One tick of .NET, like one unit of FILETIME, is 100 ns; both platforms return nanoseconds since 1970.
                    ((ulong)information.IndexHigh << 32) | information.IndexLow,
                    (DateTime.FromFileTimeUtc(basic.ChangeTime).Ticks - DateTime.UnixEpoch.Ticks) * 100
                )
                : null;
        }
    }

    private static long Nanoseconds(long seconds, long rest) => seconds * 1_000_000_000 + rest;
}
