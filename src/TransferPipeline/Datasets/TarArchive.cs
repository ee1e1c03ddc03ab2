using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Datasets;

/// <summary>
/// One tar file whose members are read at their offsets. A compressed one is first unpacked into a temporary file that vanishes with it,
/// since gzip cannot be read from the middle. One of many is opened for each read: a process may hold few files open.
/// </summary>
internal sealed class TarArchive : IDisposable
{
    private readonly SafeFileHandle? _handle;

    private TarArchive(string file, TarIndex index, SafeFileHandle? handle) => (File, Index, _handle) = (file, index, handle);

    public string File { get; }

    public TarIndex Index { get; }

    /// <param name="keepOpen">Whether the file stays open between reads; an unpacked one always does.</param>
    public static TarArchive Open(string file, bool keepOpen, ProblemList problems)
    {
        FileStream? stream = null;
        try
        {
            stream = System.IO.File.OpenRead(file);
            // By the first bytes: a .tar may be compressed, and a .tgz may be plain.
            var isPacked = IsGzip(stream);
            if (isPacked)
                stream = Unpack(file, stream, problems);
            var index = TarIndex.Read(file, stream, problems);
            // The bytes of a photo can pass for the empty end of an archive.
            if (index.Members.Count == 0 && MagicNumbers.NameOf(file) is not null && !isPacked)
                throw new InvalidDataException("nothing is in it");
            // An unpacked copy exists as long as its handle is open. The handle
            // alone is kept: reads at offsets need no lock.
            if (keepOpen || isPacked)
                return new TarArchive(file, index, stream.SafeFileHandle);
            stream.Dispose();
            return new TarArchive(file, index, null);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            stream?.Dispose();
            throw new BadInputException(
                (MagicNumbers.Of(file) ?? MagicNumbers.NameOf(file)) is { } kind
                    ? $"{file} is {kind}; expected a tar file, plain or compressed with gzip"
                    : $"{file} is not a whole tar file ({e.Message}); it is damaged or was cut short, fetch it again",
                e
            );
        }
        catch (Exception e)
        {
            stream?.Dispose();
            if (e is UnauthorizedAccessException)
                throw new BadInputException($"{file} cannot be read: {e.Message}", e);
            throw;
        }
    }

    /// <returns>The number of bytes read.</returns>
    public int Read(TarMember member, string name, ref byte[] buffer)
    {
        if (_handle is not null)
            return FileBytes.Read(_handle, member.Offset, member.Bytes, name, ref buffer);
        using var handle = System.IO.File.OpenHandle(File);
        return FileBytes.Read(handle, member.Offset, member.Bytes, name, ref buffer);
    }

    /// <summary>A small member as text.</summary>
    public string Text(TarMember member, int mostBytes)
    {
        var name = $"{File}, member {member.Name}";
        if (member.Bytes > mostBytes)
            throw new BadInputException($"{name}: {member.Bytes:N0} bytes, expected a label of at most {mostBytes:N0}");
        var buffer = Array.Empty<byte>();
        var length = Read(member, name, ref buffer);
        return TextFile.Read(buffer[..length], name);
    }

    public void Dispose() => _handle?.Dispose();

    private static bool IsGzip(FileStream file)
    {
        var isGzip = file.ReadByte() == FileSignatures.Gzip[0] && file.ReadByte() == FileSignatures.Gzip[1];
        file.Position = 0;
        return isGzip;
    }

    private static FileStream Unpack(string file, FileStream packed, ProblemList problems)
    {
        // What the file ends with: the unpacked length modulo 2^32 (RFC 1952).
        Span<byte> end = stackalloc byte[sizeof(uint)];
        RandomAccess.Read(packed.SafeFileHandle, end, Math.Max(0, packed.Length - end.Length));
        // CreateNew never opens a file of somebody else. A buffer of 1 byte is none: CopyTo brings large pieces.
        var unpacked = new FileStream(
            TemporaryPath.New(".tar"),
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.None,
            1,
            FileOptions.DeleteOnClose
        );
        try
        {
            using (packed)
            using (var gzip = new GZipStream(packed, CompressionMode.Decompress))
                gzip.CopyTo(unpacked, 1 << 20);
            unpacked.Flush();
            // GZipStream passes over what follows a stream and is none.
            if (BinaryPrimitives.ReadUInt32LittleEndian(end) != (uint)unpacked.Length)
                problems.Add(
                    Path.GetFileName(file),
                    "its last bytes are not the length of its content, as those of gzip are: other bytes lie behind it, or several gzip "
                        + "streams in one file; compare its length with the original's"
                );
            return unpacked;
        }
        catch
        {
            unpacked.Dispose();
            throw;
        }
    }
}
