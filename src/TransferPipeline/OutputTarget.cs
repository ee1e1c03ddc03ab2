using System.Runtime.InteropServices;

namespace TransferPipeline;

/// <summary>
/// Where a result goes. A file is written aside and renamed; what is no regular file (/dev/null, /dev/stdout, a pipe of the shell) is
/// written into and never replaced, and a symbolic link keeps leading where it leads.
/// </summary>
internal static partial class OutputTarget
{
    /// <summary>The file that a path leads to through symbolic links, be it there or not.</summary>
    public static string Real(string file)
    {
        file = Path.GetFullPath(file);
        try
        {
            return new FileInfo(file).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file;
        }
        catch (IOException)
        {
            // Links that lead to each other, or through what is no folder: writing says so.
            return file;
        }
    }

    /// <summary>Whether a device, pipe or socket has this name.</summary>
    public static bool IsSpecial(string file)
    {
        if (!File.Exists(file))
            return false;
        // Of other systems' devices this program knows no more than where they are.
        return OperatingSystem.IsLinux()
            ? TypeOf(file) is not (null or RegularFile)
            : !OperatingSystem.IsWindows() && file.StartsWith("/dev/", StringComparison.Ordinal);
    }

    /// <summary>A name for the file that is written first: beside the target, for a device among the temporary files.</summary>
    /// <param name="suffix">Ending of the name.</param>
    public static string Temporary(string file, string suffix) =>
        IsSpecial(file) ? Path.Combine(Path.GetTempPath(), $"transfer-{Guid.NewGuid():N}{suffix}") : Real(file) + suffix;

    /// <summary>Gives a written file its name, or copies it into a device and removes it.</summary>
    /// <exception cref="IOException">The target cannot be written.</exception>
    public static void Place(string temporary, string file)
    {
        if (!IsSpecial(file))
        {
            File.Move(temporary, Real(file), overwrite: true);
            return;
        }

        using (var source = File.OpenRead(temporary))
        using (var target = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
            source.CopyTo(target);
        File.Delete(temporary);
    }

    private const int RegularFile = 0x8000;

    /// <summary>The type bits of a file's mode (S_IFMT of stat(2)), links followed; null when they cannot be read.</summary>
    private static unsafe int? TypeOf(string file)
    {
        // struct statx of Linux, the same on all processors: the mode lies at byte 28 of 256.
        const int AtCurrentFolder = -100,
            TypeMask = 0xF000,
            StatxType = 1,
            ModeOffset = 28;
        var status = stackalloc byte[256];
        return Statx(AtCurrentFolder, file, 0, StatxType, status) == 0 ? *(ushort*)(status + ModeOffset) & TypeMask : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int folder, string path, int flags, uint mask, byte* status);
}
