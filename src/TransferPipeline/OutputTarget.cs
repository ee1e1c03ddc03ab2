using System.Diagnostics;
using System.Globalization;
using TransferPipeline.Platform;

namespace TransferPipeline;

/// <summary>
/// Where a result goes. A file is written aside and renamed; what is no regular file (/dev/null, /dev/stdout, a pipe of the shell) is
/// written into and never replaced, and a symbolic link keeps leading where it leads.
/// </summary>
internal static class OutputTarget
{
    private const string OwnSuffix = ".tmp";

    // Machines may share a folder, and numbers of processes are each machine's own.
    private static readonly string OwnPrefix = Environment.MachineName + "-";

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
            // Links that lead to each other, or through what is no folder: writing reports that.
            return file;
        }
    }

    /// <summary>Whether two names lead to one file: by links to it or its folder, or in another case where that is the same.</summary>
    public static bool IsSame(string first, string second) =>
        Real(first) == Real(second) || (FileChange.Of(first) is { } change && change == FileChange.Of(second));

    /// <summary>Whether a device, pipe or socket has this name.</summary>
    public static bool IsSpecial(string file) => SpecialFiles.Is(file);

    /// <summary>Refuses a file that cannot be written, before the work whose result it takes.</summary>
    /// <param name="file">Name of the file.</param>
    /// <param name="writes">Whether it is tried by a file that is written and deleted; else by rights alone, as a dry run changes
    /// nothing.</param>
    /// <exception cref="UsageException">It is a folder.</exception>
    /// <exception cref="JobFailedException">It cannot be written.</exception>
    public static void RequireFile(string file, bool writes = true)
    {
        if (Directory.Exists(file))
            throw new UsageException($"{file} is a folder, expected the name of a file");
        // A device or pipe is written into; opening it now could wait for who reads it.
        if (!IsSpecial(file))
            // Under the name that is written first, which is longer than the file's own: a system may refuse it for that.
            RequireWritable(file, Path.GetDirectoryName(Real(file))!, Path.GetFileName(OwnTemporary(file)), writes);
    }

    /// <inheritdoc cref="RequireFile"/>
    /// <summary>As <see cref="RequireFile"/>, for a folder of results.</summary>
    /// <param name="folder">Name of the folder.</param>
    /// <exception cref="UsageException">It is a file.</exception>
    /// <exception cref="JobFailedException">It cannot be made or written into.</exception>
    public static void RequireFolder(string folder, bool writes = true)
    {
        if (File.Exists(folder))
            throw new UsageException($"{folder} is a file, expected a folder");
        RequireWritable(folder, Path.GetFullPath(folder), ".transfer-" + Path.GetRandomFileName(), writes);
    }

    /// <summary>
    /// A path or the nearest parent of it that is there, on whose disk it will be. A drive of Windows that is not there has no parent.
    /// </summary>
    /// <param name="path">A full path.</param>
    public static string NearestParent(string path)
    {
        while (!Path.Exists(path) && Path.GetDirectoryName(path) is { } parent)
            path = parent;
        return path;
    }

    /// <param name="target">What the message names.</param>
    /// <param name="folder">The folder that is written into, be it there or not.</param>
    /// <param name="name">Name of a file that can be made there and is removed again.</param>
    /// <param name="writes">As of <see cref="RequireFile"/>.</param>
    private static void RequireWritable(string target, string folder, string name, bool writes)
    {
        // Folders that are missing are made later; the nearest one that exists shows whether they can be.
        folder = NearestParent(folder);
        var probe = Path.Combine(folder, name);
        try
        {
            if (!writes)
                WriteRights.Require(folder);
            else
            {
                // Only an attempt shows all of it: rights state nothing of the server of a network mount.
                using var _ = File.OpenHandle(probe, FileMode.Create, FileAccess.Write, options: FileOptions.DeleteOnClose);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The system's own words name the probe, which no user knows.
            var reason =
                File.Exists(folder) ? $"{folder} is a file, not a folder"
                : e is PathTooLongException ? "its name is too long; choose a shorter one"
                : e is UnauthorizedAccessException ? $"there is no right to write into {folder}; choose another place"
                : e.Message.Replace(probe, folder, StringComparison.Ordinal);
            throw new JobFailedException($"{target} cannot be written: {reason}", e);
        }
    }

    /// <summary>
    /// A name for the file that is written first: beside the target, for a device among the temporary files. It is this process's own,
    /// since two may write one target at the same time.
    /// </summary>
    public static string OwnTemporary(string file)
    {
        var suffix = $".{OwnPrefix}{Environment.ProcessId}{OwnSuffix}";
        // Beside the target, since a rename cannot cross file systems; a folder of devices (/dev) takes no files.
        return IsSpecial(file) ? TemporaryPath.New(suffix) : Real(file) + suffix;
    }

    /// <summary>
    /// Removes what killed processes of this machine left under <see cref="OwnTemporary"/> of a file: no later run has their names.
    /// </summary>
    public static void RemoveAbandoned(string file)
    {
        var real = Real(file);
        var (folder, start) = (Path.GetDirectoryName(real)!, $"{Path.GetFileName(real)}.{OwnPrefix}");
        if (!Directory.Exists(folder))
            return;
        foreach (var left in Directory.EnumerateFiles(folder, "*" + OwnSuffix).ToList())
        {
            var name = Path.GetFileName(left);
            if (!name.StartsWith(start, StringComparison.Ordinal) || name.Length < start.Length + OwnSuffix.Length)
                continue;
            var number = name.AsSpan()[start.Length..^OwnSuffix.Length];
            if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var process) && !IsRunning(process))
                TryDelete(left);
        }
    }

    private static void TryDelete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's file is in nobody's way.
        }
    }

    private static bool IsRunning(int process)
    {
        try
        {
            Process.GetProcessById(process).Dispose();
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

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
