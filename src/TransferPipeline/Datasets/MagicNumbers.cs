namespace TransferPipeline.Datasets;

/// <summary>What a file is by its first bytes, where its name promises another thing.</summary>
internal static class MagicNumbers
{
    public const string Parquet = "a Parquet file";

    private const int StartBytes = 32;

    // Magic numbers as the formats define them and file(1) knows them; the start of a file must hold the longest one.
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
        ("PAR1"u8.ToArray(), Parquet, "name it .parquet"),
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "an HDF5 file", "write its photos as files in class folders"),
        ("version https://git-lfs"u8.ToArray(), "a Git LFS pointer, not the file itself", "fetch the file with git lfs pull"),
        ("<!DOCTYPE"u8.ToArray(), "a web page", "fetch the file itself"),
        ("<html"u8.ToArray(), "a web page", "fetch the file itself"),
    ];

    // Those alone that no text and no name of a tar member begins with.
    private static readonly (byte[] Start, string Name)[] Photos =
    [
        ([0xFF, 0xD8, 0xFF], "a JPEG photo"),
        ([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A], "a PNG photo"),
        ([(byte)'I', (byte)'I', 0x2A, 0], "a TIFF photo"),
        ([(byte)'M', (byte)'M', 0, 0x2A], "a TIFF photo"),
        ("GIF89a"u8.ToArray(), "a GIF photo"),
        ("GIF87a"u8.ToArray(), "a GIF photo"),
    ];

    /// <summary>The kind and what to do, or null when the start is none of those.</summary>
    public static string? Of(string file)
    {
        Span<byte> buffer = stackalloc byte[StartBytes];
        var start = Start(file, buffer);
        foreach (var (bytes, name, cure) in Kinds)
        {
            if (start.StartsWith(bytes))
                return $"{name}: {cure}";
        }

        return null;
    }

    /// <summary>What a file is that stands in the place of another kind: a photo or one of the above; null for none of those.</summary>
    public static string? NameOf(string file)
    {
        Span<byte> buffer = stackalloc byte[StartBytes];
        return NameOf(Start(file, buffer));
    }

    /// <param name="start">The first bytes.</param>
    /// <inheritdoc cref="NameOf(string)"/>
    public static string? NameOf(ReadOnlySpan<byte> start)
    {
        foreach (var (bytes, name) in Photos)
        {
            if (start.StartsWith(bytes))
                return name;
        }

        // RIFF, the length, and what is in it.
        if (start.Length >= 12 && start.StartsWith("RIFF"u8) && start[8..12].SequenceEqual("WEBP"u8))
            return "a WebP photo";
        foreach (var (bytes, name, _) in Kinds)
        {
            if (start.StartsWith(bytes))
                return name;
        }

        return null;
    }

    private static ReadOnlySpan<byte> Start(string file, Span<byte> buffer)
    {
        using var handle = File.OpenHandle(file);
        return buffer[..RandomAccess.Read(handle, buffer, 0)];
    }
}
