namespace TransferPipeline.Datasets;

/// <summary>What a file is by its first bytes, where its name promises another thing.</summary>
internal static class MagicNumbers
{
    public const string Parquet = "a Parquet file";

    private const string Office = "a spreadsheet or another file of an office program",
        AsTable = "save its table as CSV (UTF-8)";

    // The start of a file must hold the longest one, and the first name in a zip archive.
    private const int StartBytes = 64;

    // Where it is in the header of a zip archive's first file (APPNOTE.TXT 4.3.7).
    private const int ZipNameAt = 30;

    private static readonly (byte[] Start, string Name, string Cure)[] Kinds =
    [
        ([.. FileSignatures.Xz], "an xz archive", "unpack it with xz -d"),
        ([.. FileSignatures.Zstandard], "a Zstandard archive", "unpack it with zstd -d"),
        ([.. FileSignatures.Bzip2], "a bzip2 archive", "unpack it with bzip2 -d"),
        ("LZIP"u8.ToArray(), "an lzip archive", "unpack it with lzip -d"),
        ([0x5D, 0, 0], "an LZMA archive", "unpack it with xz --format=lzma -d"),
        ([0x04, 0x22, 0x4D, 0x18], "an LZ4 archive", "unpack it with lz4 -d"),
        ([0x1F, 0x9D], "a compress archive (.Z)", "unpack it with gzip -d"),
        ([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], Office, AsTable),
        ([.. FileSignatures.Zip], "a zip archive", "unpack it and give the folder"),
        ([.. FileSignatures.SevenZip], "a 7z archive", "unpack it and give the folder"),
        ([.. FileSignatures.Rar], "a rar archive", "unpack it and give the folder"),
        ("PAR1"u8.ToArray(), Parquet, "name it .parquet"),
        ([.. FileSignatures.Hdf5], "an HDF5 file", "write its photos as files in class folders"),
        ([.. FileSignatures.GitLfs], "a Git LFS pointer, not the file itself", "fetch the file with git lfs pull"),
        ("<!DOCTYPE"u8.ToArray(), "a web page", "fetch the file itself"),
        ("<!doctype"u8.ToArray(), "a web page", "fetch the file itself"),
        ("<html"u8.ToArray(), "a web page", "fetch the file itself"),
        ("<HTML"u8.ToArray(), "a web page", "fetch the file itself"),
        ("!<arch>"u8.ToArray(), "an ar archive (.deb, .a)", "unpack it with ar x"),
        ("070701"u8.ToArray(), "a cpio archive", "unpack it with cpio -id"),
        ("070707"u8.ToArray(), "a cpio archive", "unpack it with cpio -id"),
    ];

    // Those alone that no text and no name of a tar member begins with.
    private static readonly (byte[] Start, string Name)[] Photos =
    [
        ([.. FileSignatures.Jpeg], "a JPEG photo"),
        ([.. FileSignatures.PngName], "a PNG photo"),
        ([(byte)'I', (byte)'I', 0x2A, 0], "a TIFF photo"),
        ([(byte)'M', (byte)'M', 0, 0x2A], "a TIFF photo"),
        ([.. FileSignatures.Gif89], "a GIF photo"),
        ([.. FileSignatures.Gif87], "a GIF photo"),
    ];

    /// <summary>The kind and what to do, or null when the start is none of those.</summary>
    public static string? Of(string file)
    {
        Span<byte> buffer = stackalloc byte[StartBytes];
        return Find(Start(file, buffer)) is var (_, name, cure) ? $"{name}: {cure}" : null;
    }

    /// <summary>What a text is that stands in the place of a table or list, with what to do: a pointer, a page or an archive.</summary>
    /// <param name="start">The first bytes.</param>
    public static string? OfText(ReadOnlySpan<byte> start)
    {
        return Find(start) is ([(byte)'v' or (byte)'<' or (byte)'P', ..], var name, var cure) ? $"{name}: {cure}" : null;
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

        if (FileSignatures.IsWebP(start))
            return "a WebP photo";
        return Find(start)?.Name;
    }

    private static (byte[] Start, string Name, string Cure)? Find(ReadOnlySpan<byte> start)
    {
        foreach (var kind in Kinds)
        {
            if (start.StartsWith(kind.Start))
                return IsOffice(start) ? (kind.Start, Office, AsTable) : kind;
        }

        return null;
    }

    /// <summary>A zip archive whose first file is one of Office Open XML's or OpenDocument's.</summary>
    private static bool IsOffice(ReadOnlySpan<byte> start)
    {
        if (!start.StartsWith(FileSignatures.Zip) || start.Length <= ZipNameAt)
            return false;
        var name = start[ZipNameAt..];
        return name.StartsWith("[Content_Types].xml"u8)
            || name.StartsWith("_rels/.rels"u8)
            || name.StartsWith("docProps/"u8)
            || name.StartsWith("xl/"u8)
            || name.StartsWith("mimetypeapplication/vnd.oasis"u8);
    }

    private static ReadOnlySpan<byte> Start(string file, Span<byte> buffer)
    {
        using var handle = File.OpenHandle(file);
        return buffer[..RandomAccess.Read(handle, buffer, 0)];
    }
}
