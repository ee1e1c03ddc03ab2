using TransferPipeline.Platform;

namespace TransferPipeline;

/// <summary>
/// Where a result goes. A file is written aside and renamed; what is no regular file (/dev/null, /dev/stdout, a pipe of the shell) is
/// written into and never replaced, and a symbolic link keeps leading where it leads.
/// </summary>
internal static class OutputTarget
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

    /// <summary>Whether two names lead to one file: by links to it or its folder, or in another case where that is the same.</summary>
    public static bool IsSame(string first, string second) =>
        Real(first) == Real(second) || (FileChange.Of(first) is { } change && change == FileChange.Of(second));

    /// <summary>Whether a device, pipe or socket has this name.</summary>
    public static bool IsSpecial(string file) => SpecialFiles.Is(file);

    /// <summary>A name for the file that is written first: beside the target, for a device among the temporary files.</summary>
    /// <param name="suffix">Ending of the name.</param>
    public static string Temporary(string file, string suffix) =>
        // Beside the target, since a rename cannot cross file systems; a folder of devices (/dev) takes no files.
        IsSpecial(file) ? Path.Combine(Path.GetTempPath(), $"transfer-{Guid.NewGuid():N}{suffix}") : Real(file) + suffix;

    /// <summary>Gives a written file its name, or copies it into a device and removes it.</summary>
    /// <exception cref="IOException">The target cannot be written.</exception>
    public static void Place(string temporary, string file)
    {
        if (!IsSpecial(file))
        {
            // The rename is atomic on POSIX systems: a reader finds the old file or the new one, never a part of it.
            File.Move(temporary, Real(file), overwrite: true);
            return;
        }

        // FileShare.ReadWrite takes no lock: other programs have /dev/null or
        // the pipe open as well. Open does not truncate.
        using (var source = File.OpenRead(temporary))
        using (var target = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
            source.CopyTo(target);
        File.Delete(temporary);
    }
}
