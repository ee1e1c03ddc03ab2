namespace TransferPipeline.Datasets;

/// <summary>What a file is by its first bytes, where its name promises another thing.</summary>
internal static class ArchiveKind
{
    // Magic numbers as the formats define them and file(1) knows them; the buffer in Of must hold the longest one.
    private static readonly (byte[] Start, string Name, string Cure)[] Kinds =
    [
        ([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0], "an xz archive", "unpack it with xz -d"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a Zstandard archive", "unpack it with zstd -d"),
        ("BZh"u8.ToArray(), "a bzip2 archive", "unpack it with bzip2 -d"),
        ([0x04, 0x22, 0x4D, 0x18], "an LZ4 archive", "unpack it with lz4 -d"),
        ([0x1F, 0x9D], "a compress archive (.Z)", "unpack it with gzip -d"),
        ("PK\x03\x04"u8.ToArray(), "a zip archive", "unpack it and give the folder"),
        ([(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive", "unpack it and give the folder"),
        ("Rar!"u8.ToArray(), "a rar archive", "unpack it and give the folder"),
        ("PAR1"u8.ToArray(), "a Parquet file", "name it .parquet"),
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "an HDF5 file", "write its photos as files in class folders"),
        ("version https://git-lfs"u8.ToArray(), "a Git LFS pointer, not the file itself", "fetch the file with git lfs pull"),
        ("<!DOCTYPE"u8.ToArray(), "a web page", "fetch the file itself"),
        ("<html"u8.ToArray(), "a web page", "fetch the file itself"),
    ];

    /// <summary>The kind and what to do, or null when the start is none of those.</summary>
    public static string? Of(string file)
    {
        Span<byte> start = stackalloc byte[32];
        using var handle = File.OpenHandle(file);
        start = start[..RandomAccess.Read(handle, start, 0)];
        foreach (var (bytes, name, cure) in Kinds)
        {
            if (start.StartsWith(bytes))
                return $"{name}: {cure}";
        }

        return null;
    }
}
