using System.Runtime.InteropServices;

namespace TransferPipeline.Platform;

/// <summary>Whether files can be made in a folder, by its rights and without making one.</summary>
internal static class WriteRights
{
    /// <exception cref="IOException">It is no folder, or on a file system that is mounted for reading alone.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no right to write into it.</exception>
    public static void Require(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"there is no folder {folder}");
        // Windows grants by lists of rights, which only an attempt evaluates: a run makes it.
        if (OperatingSystem.IsWindows() || LibC.Access(folder, LibC.MayWrite | LibC.MaySearch) == 0)
            return;
        var error = Marshal.GetLastPInvokeErrorMessage();
        throw Marshal.GetLastPInvokeError() == LibC.NoRight
            ? new UnauthorizedAccessException($"{folder}: {error}")
            : new IOException($"{folder}: {error}");
    }
}
