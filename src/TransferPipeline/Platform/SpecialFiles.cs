using System.Runtime.Versioning;

namespace TransferPipeline.Platform;

/// <summary>Devices, pipes and sockets, which have names as files have.</summary>
internal static class SpecialFiles
{
    // S_IFMT, S_IFREG and S_IFDIR of stat(2), the same on Linux and macOS.
    private const int TypeMask = 0xF000,
        RegularFile = 0x8000,
        Folder = 0x4000;

    /// <summary>Whether a device, pipe or socket has this name, links followed.</summary>
    public static bool Is(string file)
    {
        // Windows has its devices in every folder: NUL, CON, COM1.
        if (OperatingSystem.IsWindows())
            return Path.GetFullPath(file).StartsWith(@"\\.\", StringComparison.Ordinal);
        return File.Exists(file)
            && (
                OperatingSystem.IsLinux() ? LinuxMode(file)
                : OperatingSystem.IsMacOS() ? MacMode(file)
                : null
            )
                is { } mode
            && (mode & TypeMask) is not (RegularFile or Folder);
    }

    [SupportedOSPlatform("linux")]
    private static unsafe int? LinuxMode(string file)
    {
        // AT_FDCWD, and the offset of stx_mode in struct statx.
        const int AtCurrentFolder = -100,
            ModeAt = 28;
        // STATX_TYPE.
        const uint WantedType = 1;
        var status = stackalloc byte[LibC.StatusBytes];
        return LibC.StatX(AtCurrentFolder, file, 0, WantedType, status) == 0 ? *(ushort*)(status + ModeAt) : null;
    }

    [SupportedOSPlatform("macos")]
    private static unsafe int? MacMode(string file)
    {
        // st_mode follows the 32 bits of st_dev.
        const int ModeAt = 4;
        var status = stackalloc byte[LibC.StatusBytes];
        return LibC.Stat(file, status) == 0 ? *(ushort*)(status + ModeAt) : null;
    }
}
