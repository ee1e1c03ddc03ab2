using System.Security.Cryptography;
using System.Text;
using TransferPipeline.Platform;

namespace TransferPipeline;

/// <summary>
/// Files that are either wholly there or not at all, whenever the power fails: written aside, synced, renamed, the folder synced.
/// </summary>
internal static class DurableFile
{
    /// <summary>Ending of files that are not yet committed; whatever has it is removed at the next start.</summary>
    public const string TemporarySuffix = ".tmp";

    public static void WriteText(string file, string text) =>
        Write(file, temporary => File.WriteAllBytes(temporary, Encoding.UTF8.GetBytes(text)));

    /// <summary>Calls <paramref name="write"/> with the name of the file to write aside; nothing is left of it when that fails.</summary>
    public static void Write(string file, Action<string> write)
    {
        // Two processes may write the same report or manifest: under one name each would take the other's half-written file.
        var temporary = OutputTarget.OwnTemporary(file);
        try
        {
            OutputTarget.RemoveAbandoned(file);
            write(temporary);
            Commit(temporary, file);
        }
        catch (Exception e)
        {
            // Delete throws where the folder is gone, and that exception would hide the first one.
            if (File.Exists(temporary))
                File.Delete(temporary);
            // The system's own words name the temporary file, which no user knows.
            var message = e.Message.Replace(temporary, OutputTarget.Real(file), StringComparison.Ordinal);
            if (message != e.Message && e is UnauthorizedAccessException)
                throw new UnauthorizedAccessException(message, e);
            throw;
        }
    }

    /// <summary>Syncs a written file and gives it its name; a device or pipe of that name gets its content instead.</summary>
    public static void Commit(string temporary, string file)
    {
        // fsync before rename: some file systems commit the new name before the content, and a power cut would leave an empty file.
        // FlushFileBuffers of Windows wants a handle with write access.
        using (var handle = File.OpenHandle(temporary, FileMode.Open, FileAccess.ReadWrite))
            RandomAccess.FlushToDisk(handle);
        var isFile = !OutputTarget.IsSpecial(file);
        OutputTarget.Place(temporary, file);
        // The name lies in the folder; without this sync a power cut could undo the rename.
        if (isFile)
            SyncedFiles.SyncFolder(Path.GetDirectoryName(OutputTarget.Real(file))!);
    }

    /// <returns>Length in bytes and lower-case hex SHA-256.</returns>
    public static (long Bytes, string Sha256) Hash(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        return (stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }
}
