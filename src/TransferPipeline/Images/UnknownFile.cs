using System.Text;

namespace TransferPipeline.Images;

/// <summary>Calls files that are no photos of a known format by their names, with what to do.</summary>
internal static class UnknownFile
{
    private const int BrandAt = 8;

    private static ReadOnlySpan<byte> Utf8Mark => [0xEF, 0xBB, 0xBF];

    private const string Compressed = "a compressed file (bzip2, xz or zstd), not an image: unpack it",
        Jpeg2000 = "a JPEG 2000 image, which is not supported: convert it to JPEG or PNG (opj_decompress)",
        JpegXl = "a JPEG XL image, which is not supported: convert it to JPEG or PNG (djxl)",
        Raw = "a raw file of a camera, which is not supported: convert it to JPEG or PNG",
        Archive = "an archive, not an image: unpack it",
        Sound = "a sound file, not an image",
        AsText = "an image whose bytes were changed as if they were text: copy or download it again in binary mode";

    private const string NotSupported = ", which is not supported: convert it to JPEG or PNG";

    /// <summary>What a file is by its bytes at a place; of two that match, the first counts.</summary>
    private static readonly (int At, byte[] Bytes, string What)[] Signatures =
    [
        (0, [.. FileSignatures.Gzip], "a gzip file, not an image: unpack it with gunzip"),
        (0, [.. FileSignatures.Bzip2], Compressed),
        (0, [.. FileSignatures.Xz], Compressed),
        (0, [.. FileSignatures.Zstandard], Compressed),
        (0, [.. FileSignatures.GitLfs], "a Git LFS pointer, not the image itself: fetch it with 'git lfs pull'"),
        (0, [0, 0, 0, 12, .. "JXL "u8], JpegXl),
        (0, [0xFF, 0x0A], JpegXl),
        (0, [0, 0, 0, 12, .. "jP  "u8], Jpeg2000),
        (0, [0xFF, 0x4F, 0xFF, 0x51], Jpeg2000),
        (0, [.. "8BPS"u8], "a Photoshop file, which is not supported: export it as JPEG or PNG"),
        (0, [.. "gimp xcf"u8], "a GIMP file, which is not supported: export it as JPEG or PNG"),
        (0, [.. "%PDF-"u8], "a PDF document, not an image"),
        (0, [.. "%!PS"u8], "a PostScript document, not an image"),
        (0, [0, 0, 1, 0], $"a Windows icon{NotSupported}"),
        (0, [0, 0, 2, 0], $"a Windows cursor or a TGA image{NotSupported}"),
        (0, [0, 0, 10, 0, 0], $"a TGA image{NotSupported}"),
        (0, [0, 1, 1, 0], $"a TGA image{NotSupported}"),
        (0, [0, 1, 9, 0], $"a TGA image{NotSupported}"),
        (0, [0, 0, 3, 0, 0], $"a TGA image{NotSupported}"),
        (0, [0, 0, 11, 0, 0], $"a TGA image{NotSupported}"),
        (0, [0xC5, 0xD0, 0xD3, 0xC6], "a PostScript document, not an image"),
        (0, [.. "AT&TFORM"u8], $"a DjVu document{NotSupported}"),
        (0, [0xD7, 0xCD, 0xC6, 0x9A], $"a Windows metafile (WMF){NotSupported}"),
        (40, [.. " EMF"u8], $"a Windows metafile (EMF){NotSupported}"),
        (0, [.. "BPG"u8, 0xFB], $"a BPG image{NotSupported}"),
        (0, [.. "FLIF"u8], $"a FLIF image{NotSupported}"),
        (0, [.. "farbfeld"u8], $"a farbfeld image{NotSupported}"),
        (0, [0xAB, .. "KTX "u8], $"a texture (KTX){NotSupported}"),
        (0, [0x59, 0xA6, 0x6A, 0x95], $"a Sun raster image{NotSupported}"),
        (0, [.. "#define "u8], $"an X bitmap{NotSupported}"),
        (0, [.. "/* XPM"u8], $"an X pixmap{NotSupported}"),
        (0, [0x08, 0xF2, 0xA6, 0xB6], $"an image of libvips{NotSupported}"),
        (0, [0xB6, 0xA6, 0xF2, 0x08], $"an image of libvips{NotSupported}"),
        (344, [.. "n+1"u8], $"a NIfTI image{NotSupported}"),
        (344, [.. "ni1"u8], $"a NIfTI image{NotSupported}"),
        (0, [.. "icns"u8], $"a macOS icon{NotSupported}"),
        (0, [.. "DDS "u8], $"a DirectDraw texture (DDS){NotSupported}"),
        (0, [0x76, 0x2F, 0x31, 0x01], $"an OpenEXR image{NotSupported}"),
        (0, [.. "#?R"u8], $"a Radiance HDR image{NotSupported}"),
        (0, [0x0A, 0x05, 0x01], $"a PCX image{NotSupported}"),
        (0, [0x01, 0xDA], $"an SGI image{NotSupported}"),
        (0, [.. "qoif"u8], $"a QOI image{NotSupported}"),
        (0, [.. "II"u8, 0xBC, 0x01], $"a JPEG XR image{NotSupported}"),
        (0, [.. "P7\n"u8], $"a PAM image{NotSupported}"),
        (0, [.. "Pf\n"u8], $"a PFM image{NotSupported}"),
        (0, [.. "PF\n"u8], $"a PFM image{NotSupported}"),
        (0, [0x8A, .. "MNG"u8], $"an MNG animation{NotSupported}"),
        (0, [0x8B, .. "JNG"u8], $"a JNG image{NotSupported}"),
        (0, [.. "SIMPLE  ="u8], $"a FITS image{NotSupported}"),
        (128, [.. "DICM"u8], $"a DICOM image{NotSupported}"),
        (0, [.. "FUJIFILMCCD-RAW"u8], Raw),
        (0, [.. "IIU\0"u8], Raw),
        (0, [.. "IIRO"u8], Raw),
        (0, [.. "IIRS"u8], Raw),
        (0, [.. "FOVb"u8], Raw),
        (0, [0, .. "MRM"u8], Raw),
        (6, [.. "HEAPCCDR"u8], Raw),
        (0, [.. FileSignatures.Rar], Archive),
        (0, [.. FileSignatures.SevenZip], Archive),
        (FileSignatures.TarAt, [.. FileSignatures.Tar], Archive),
        (8, [.. "AVI "u8], "a video, not an image"),
        (8, [.. "WAVE"u8], Sound),
        (0, [.. "ID3"u8], Sound),
        (0, [.. "OggS"u8], Sound),
        (0, [.. "fLaC"u8], Sound),
        (0, [.. "FLV"u8, 1], "a video (Flash), not an image"),
        (0, [0x30, 0x26, 0xB2, 0x75], "a video (Windows Media), not an image"),
        (0, [0x1A, 0x45, 0xDF, 0xA3], "a video (Matroska or WebM), not an image"),
        (0, [0, 0, 1, 0xBA], "a video (MPEG), not an image"),
        (0, [0, 0, 1, 0xB3], "a video (MPEG), not an image"),
        (0, [0, 5, 0x16, 7], "what macOS keeps beside a file (AppleDouble), not the image itself: remove it"),
        (0, [0xD0, 0xCF, 0x11, 0xE0], "a file of Windows or Office (such as Thumbs.db), not an image"),
        (0, [.. FileSignatures.NumPy], "a NumPy array, not an image: write it as PNG"),
        (0, [.. FileSignatures.Hdf5], "an HDF5 file, not an image: write its images as PNG"),
        (0, [.. "SQLite format 3"u8], "an SQLite database, not an image"),
        (0, [.. "MATLAB "u8], "a MATLAB file, not an image: write its images as PNG"),
        (0, [.. "PAR1"u8], "a Parquet file, not an image"),
        (0, [0x04, 0x22, 0x4D, 0x18], "a compressed file (lz4), not an image: unpack it"),
        (0, [.. "bplist0"u8], "a property list of Apple's systems, not an image: the image itself may not be downloaded yet"),
        (0, [0x4C, 0, 0, 0, 1, 0x14, 2, 0], "a shortcut of Windows, not the image itself: copy the file that it leads to"),
        (0, [.. "[InternetShortcut]"u8], "a shortcut of Windows, not the image itself: copy the file that it leads to"),
        (0, [0x7F, .. "ELF"u8], "a program, not an image"),
        (0, [.. "MZ"u8], "a program of Windows, not an image"),
        (0, [.. "/annex/objects/"u8], "a pointer of git-annex, not the image itself: fetch it with 'git annex get'"),
        (0, [.. "HTTP/"u8], "an answer of a web server, not an image: the download saved its header too"),
        (0, [.. "data:image/"u8], "an image in base64 text: decode it into a file of its own"),
        (0, [.. "/9j/"u8], "an image in base64 text: decode it into a file of its own"),
        (0, [.. "iVBORw0KGgo"u8], "an image in base64 text: decode it into a file of its own"),
        (0, [0x89, .. "PNG"u8], AsText),
        (0, [0xC2, 0x89, .. "PNG"u8], AsText),
        (0, [0xEF, 0xBF, 0xBD, .. "PNG"u8], AsText),
        (0, [0xC3, 0xBF, 0xC3, 0x98, 0xC3, 0xBF], AsText),
        (0, [0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD], AsText),
    ];

    /// <summary>Why the file cannot be decoded, in one line.</summary>
    public static string Describe(ReadOnlySpan<byte> encoded)
    {
        if (!encoded.ContainsAnyExcept((byte)0))
            return $"nothing but {encoded.Length} zero bytes: its content was lost, copy or download it again";
        if (encoded.Length > BrandAt + 4 && encoded[4..BrandAt].SequenceEqual("ftyp"u8))
            return OfMedia(encoded);
        foreach (var (at, bytes, what) in Signatures)
        {
            if (encoded.Length >= at && encoded[at..].StartsWith(bytes))
                return what;
        }

        if (encoded.StartsWith(FileSignatures.Zip) || encoded.StartsWith("PK\x05\x06"u8))
            return $"a zip archive, not an image: unpack it (starts with {Start(encoded)})";
        return OfText(encoded) ?? $"not an image (starts with {Start(encoded)})";
    }

    /// <summary>ISO base media files name their kind by a brand (ISO/IEC 14496-12, 4.3).</summary>
    private static string OfMedia(ReadOnlySpan<byte> encoded)
    {
        var brand = Encoding.Latin1.GetString(encoded.Slice(BrandAt, 4));
        // An AVIF file may have HEIF's major brand mif1; its own brand is then among the compatible ones that follow.
        var all = encoded[..Math.Min(encoded.Length, 64)];
        if (brand is "avif" or "avis" || all.IndexOf("avif"u8) >= 0)
            return "an AVIF image, which is not supported: convert it to JPEG or PNG (avifdec)";
        return brand is "heic" or "heix" or "heim" or "heis" or "hevc" or "hevx" or "hevm" or "hevs" or "mif1" or "msf1"
                ? "a HEIF image (HEIC, as phones write), which is not supported: convert it to JPEG or PNG (heif-convert)"
            : brand.StartsWith("jp2", StringComparison.Ordinal) || brand == "jpx " ? Jpeg2000
            : brand == "jxl " ? JpegXl
            : brand == "crx " ? Raw
            : $"a video or other media file (brand '{PlainText(brand)}'), not an image";
    }

    private static string? OfText(ReadOnlySpan<byte> encoded)
    {
        var text = encoded.StartsWith(Utf8Mark) ? encoded[Utf8Mark.Length..] : encoded;
        // Markup in UTF-16 has a zero beside each ASCII letter and a byte-order mark in front.
        // Without both it compares like UTF-8.
        var start = Encoding
            .Latin1.GetString(text[..Math.Min(text.Length, 1024)])
            .Replace("\0", "", StringComparison.Ordinal)
            .TrimStart('\u00FF', '\u00FE', ' ', '\t', '\r', '\n')
            .ToLowerInvariant();
        if (
            start.StartsWith("<!doctype html", StringComparison.Ordinal)
            || start.StartsWith("<html", StringComparison.Ordinal)
            || start.StartsWith("<head", StringComparison.Ordinal)
            || (start.StartsWith("<!--", StringComparison.Ordinal) && start.Contains("<html", StringComparison.Ordinal))
        )
            return "a web page, not an image: the download gave a page (an error or a login?) in its place";
        if (
            start.StartsWith("<svg", StringComparison.Ordinal)
            || (
                (start.StartsWith("<?xml", StringComparison.Ordinal) || start.StartsWith("<!--", StringComparison.Ordinal))
                && start.Contains("<svg", StringComparison.Ordinal)
            )
        )
            return "an SVG drawing, which is not supported: convert it to PNG";
        // Object stores answer a denied download with an XML document; XHTML pages begin with the same declaration.
        if (start.StartsWith("<?xml", StringComparison.Ordinal))
            return start.Contains("<html", StringComparison.Ordinal)
                ? "a web page, not an image: the download gave a page (an error or a login?) in its place"
                : "an XML document, not an image: the download gave an error in its place?";
        return start is ['{', ..] or ['[', '{' or '"' or '[' or ']', ..]
                ? "JSON text, not an image: the download gave an error in its place?"
            : start.Contains("not found", StringComparison.Ordinal)
            || start.Contains("denied", StringComparison.Ordinal)
            || start.Contains("forbidden", StringComparison.Ordinal)
                ? $"text, not an image: the download gave an error in its place? (starts with {Start(encoded)})"
            : null;
    }

    private static string PlainText(string text) => string.Concat(text.Select(c => c is >= ' ' and <= '~' ? c : '?'));

    /// <summary>The first bytes, as text when they are text, else in hexadecimal.</summary>
    private static string Start(ReadOnlySpan<byte> encoded)
    {
        var start = encoded[..Math.Min(encoded.Length, 12)];
        return start.ContainsAnyExceptInRange((byte)' ', (byte)'~')
            ? Convert.ToHexString(start[..Math.Min(start.Length, 6)])
            : $"\"{Encoding.ASCII.GetString(start)}\"";
    }
}
