using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Heads.Common;

/// <summary>Vectors as they lie in memory, in a file without a name: the system frees it when the process ends, in whatever way.</summary>
internal sealed class ScratchFile : IDisposable
{
    private readonly string _folder;
    private readonly SafeFileHandle _file;

    /// <param name="folder">It is made where it is not there.</param>
    /// <param name="bytes">Room that is reserved, where the file system can.</param>
    /// <exception cref="IOException">There is no room, or no file can be made.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no right to make a file.</exception>
    public ScratchFile(string folder, long bytes = 0)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        var name = Path.Combine(folder, ".transfer-" + Path.GetRandomFileName());
        _file = File.OpenHandle(
            name,
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            // Windows deletes an open file only if its handle allows it.
            FileShare.ReadWrite | FileShare.Delete,
            preallocationSize: bytes
        );
        // At once, so that no file is left even when the process is killed.
        File.Delete(name);
    }

    /// <summary>Bytes of the first rows of a matrix.</summary>
    public static Span<byte> Bytes(FeatureMatrix matrix, int rows) => MemoryMarshal.AsBytes(matrix.Data.AsSpan(0, rows * matrix.Columns));

    public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(_file, bytes, offset);

    /// <exception cref="JobFailedException">The file ends before.</exception>
    public void Read(Span<byte> bytes, long offset)
    {
        // One read may bring fewer bytes than requested (pread(2)).
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(_file, bytes, offset);
            if (read == 0)
                Throw.JobFailed($"the scratch file in {_folder} became shorter while it was read; train again");
            bytes = bytes[read..];
            offset += read;
        }
    }

    public void Dispose() => _file.Dispose();
}
