using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace TransferPipeline.Features;

/// <summary>
/// Files that are either wholly there or not at all, whenever the power fails: written aside, synced, renamed, the folder synced.
/// </summary>
internal static partial class DurableFile
{
    /// <summary>Ending of files that are not yet committed; whatever has it is removed at the next start.</summary>
    public const string TemporarySuffix = ".tmp";

    public static void WriteText(string file, string text) =>
        Write(file, temporary => File.WriteAllBytes(temporary, Encoding.UTF8.GetBytes(text)));

    /// <summary>Calls <paramref name="write"/> with the name of the file to write aside; nothing is left of it when that fails.</summary>
    public static void Write(string file, Action<string> write)
    {
        var temporary = OutputTarget.Temporary(file, TemporarySuffix);
        try
        {
            write(temporary);
            Commit(temporary, file);
        }
        catch
        {
            if (File.Exists(temporary))
                File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Syncs a written file and gives it its name; a device or pipe of that name gets its content instead.</summary>
    public static void Commit(string temporary, string file)
    {
        using (var handle = File.OpenHandle(temporary, FileMode.Open, FileAccess.ReadWrite))
            RandomAccess.FlushToDisk(handle);
        var isFile = !OutputTarget.IsSpecial(file);
        OutputTarget.Place(temporary, file);
        if (isFile)
            SyncFolder(Path.GetDirectoryName(OutputTarget.Real(file))!);
    }

    /// <returns>Length in bytes and lower-case hex SHA-256.</returns>
    public static (long Bytes, string Sha256) Hash(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        return (stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    // A rename survives a power cut only when the folder is synced too; .NET opens no folders.
    private static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(folder, 0);
        if (descriptor < 0)
            throw new IOException($"cannot open folder {folder}: error {Marshal.GetLastPInvokeError()}");
        // File systems that cannot sync a folder say EINVAL; they have no more to give.
        _ = Sync(descriptor);
        _ = Close(descriptor);
    }

    /// <summary>The file's content though another handle holds it locked; null when it cannot be opened.</summary>
    internal static string? ReadUnlocked(string file)
    {
        var descriptor = Open(file, 0);
        if (descriptor < 0)
            return null;
        Span<byte> buffer = stackalloc byte[256];
        nint length;
        unsafe
        {
            fixed (byte* start = buffer)
                length = Read(descriptor, start, (nuint)buffer.Length);
        }

        _ = Close(descriptor);
        return length < 0 ? null : Encoding.UTF8.GetString(buffer[..(int)length]);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint Read(int descriptor, byte* buffer, nuint count);
}
