using System.Runtime.InteropServices;
using System.Text;

namespace TransferPipeline.Platform;

/// <summary>Durable renames, and files that another process holds locked.</summary>
internal static class SyncedFiles
{
    /// <summary>
    /// Makes a rename survive a power cut: on Linux and macOS only when the folder is synced too, which .NET cannot open. NTFS logs renames
    /// itself, and Windows has no such call for a folder.
    /// </summary>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = LibC.Open(folder, LibC.ReadOnly);
        if (descriptor < 0)
            throw new IOException($"cannot open folder {folder}: error {Marshal.GetLastPInvokeError()}");
        // File systems that cannot sync a folder say EINVAL; they have no more to give.
        _ = LibC.Sync(descriptor);
        _ = LibC.Close(descriptor);
    }

    /// <summary>
    /// The file's content though another process holds it locked; null when it cannot be opened. Locks of Linux and macOS bind only those
    /// who ask for them; Windows keeps everybody out.
    /// </summary>
    public static unsafe string? ReadLocked(string file)
    {
        // A lock binds readers too there: no handle can be opened.
        if (OperatingSystem.IsWindows())
            return null;
        // Not File.OpenRead: .NET asks for an advisory lock on opening, and would fail where a plain open(2) does not.
        var descriptor = LibC.Open(file, LibC.ReadOnly);
        if (descriptor < 0)
            return null;
        // A lock file holds one line; what is longer is cut, which is enough for a message.
        Span<byte> buffer = stackalloc byte[256];
        nint length;
        fixed (byte* start = buffer)
            length = LibC.Read(descriptor, start, (nuint)buffer.Length);
        _ = LibC.Close(descriptor);
        return length < 0 ? null : Encoding.UTF8.GetString(buffer[..(int)length]);
    }

    /// <summary>
    /// Whether opening a file failed because another process holds it: Win32's code for it, or flock's errno (EWOULDBLOCK), which .NET
    /// passes on as it is.
    /// </summary>
    public static bool IsLocked(IOException error)
    {
        const int SharingViolation = unchecked((int)0x80070020),
            WouldBlockOnLinux = 11,
            WouldBlockOnMac = 35;
        return error.HResult
            == (
                OperatingSystem.IsWindows() ? SharingViolation
                : OperatingSystem.IsMacOS() ? WouldBlockOnMac
                : WouldBlockOnLinux
            );
    }

    /// <summary>Whether writing failed because the disk is full: Win32's codes for it, or ENOSPC.</summary>
    public static bool IsDiskFull(IOException error)
    {
        const int HandleDiskFull = unchecked((int)0x80070027),
            DiskFull = unchecked((int)0x80070070),
            NoSpace = 28;
        return OperatingSystem.IsWindows() ? error.HResult is HandleDiskFull or DiskFull : error.HResult == NoSpace;
    }
}
