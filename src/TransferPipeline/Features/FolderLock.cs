using TransferPipeline.Platform;

namespace TransferPipeline.Features;

/// <summary>
/// The right to change a feature set's folder: an operating system's lock on the file <c>.lock</c>, which ends with the process that
/// holds it, however that process ends. The file is removed on release.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private const string FileName = ".lock";
    private readonly FileStream _stream;
    private readonly string _file;

    private FolderLock(FileStream stream, string file) => (_stream, _file) = (stream, file);

    /// <summary>Takes the lock, or waits for it at most <paramref name="wait"/>.</summary>
    /// <param name="wait"><see cref="Timeout.InfiniteTimeSpan"/> waits until the lock is free.</param>
    /// <exception cref="JobFailedException">Another run holds it.</exception>
    public static FolderLock Take(string folder, TimeSpan wait, Action<string> message, CancellationToken cancellation)
    {
        var file = Path.Combine(folder, FileName);
        var until =
            wait == Timeout.InfiniteTimeSpan
                ? long.MaxValue
                : Environment.TickCount64 + (long)Math.Min(wait.TotalMilliseconds, int.MaxValue);
        var reported = false;
        while (true)
        {
            // At least one attempt is made, also with a wait of 0.
            if (TryTake(file) is { } taken)
                return taken;
            var holder = SyncedFiles.ReadLocked(file)?.Split(' ')[0];
            var who = string.IsNullOrEmpty(holder) ? "another run" : $"another run (process {holder})";
            if (Environment.TickCount64 >= until)
                throw new JobFailedException($"{folder} is in use by {who}: wait for it to end, or choose another folder");
            if (!reported)
                message($"waiting for {who} that uses {folder}");
            reported = true;
            // No system call waits for a FileStream's lock with a cancellation: it is tried ten times per second.
            cancellation.WaitHandle.WaitOne(100);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    public void Dispose()
    {
        // Removed while it is still held: whoever opened it meanwhile finds in TryTake that its name is gone.
        // Windows refuses to delete a file that is open; there DeleteOnClose removes it.
        // Delete throws where the folder is gone, and that exception would hide what the run has to say.
        if (!OperatingSystem.IsWindows() && File.Exists(_file))
            File.Delete(_file);
        _stream.Dispose();
    }

    private static FolderLock? TryTake(string file)
    {
        FileStream stream;
        try
        {
            var options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;
            stream = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, options);
        }
        catch (IOException e) when (SyncedFiles.IsLocked(e))
        {
            return null;
        }

        if (OperatingSystem.IsWindows())
            return new(stream, file);
        // Between opening and locking, the last holder may have removed the file.
        // Then this lock is on a file without a name, and the name does not lead to the token.
        var token = $"{Environment.ProcessId} {Guid.NewGuid():N}";
        stream.SetLength(0);
        stream.Write(System.Text.Encoding.UTF8.GetBytes(token));
        stream.Flush();
        if (SyncedFiles.ReadLocked(file) == token)
            return new(stream, file);
        stream.Dispose();
        return null;
    }
}
