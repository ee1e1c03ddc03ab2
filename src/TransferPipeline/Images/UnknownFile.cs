using System.Text;

namespace TransferPipeline.Images;

/// <summary>Calls files that are no photos of a known format by their names, with what to do.</summary>
internal static class UnknownFile
{
    private const int BrandAt = 8;

    private static ReadOnlySpan<byte> Utf8Mark => [0xEF, 0xBB, 0xBF];

    /// <summary>Why the file cannot be decoded, in one line.</summary>
    public static string Describe(ReadOnlySpan<byte> encoded)
    {
        if (encoded.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return "a gzip file, not an image: unpack it with gunzip";
        if (
            encoded.StartsWith("BZh"u8)
            || encoded.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0])
            || encoded.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD])
        )
            return "a compressed file (bzip2, xz or zstd), not an image: unpack it";
        if (encoded.StartsWith("version https://git-lfs.github.com/spec/"u8))
            return "a Git LFS pointer, not the image itself: fetch it with 'git lfs pull'";
        if (encoded.Length > BrandAt + 4 && encoded[4..BrandAt].SequenceEqual("ftyp"u8))
            return OfMedia(encoded);
        if (
            encoded.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', (byte)' '])
            || encoded.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A])
        )
            return "a JPEG XL image, which is not supported: convert it to JPEG or PNG (djxl)";
        if (
            encoded.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'j', (byte)'P', (byte)' ', (byte)' '])
            || encoded.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51])
        )
            return "a JPEG 2000 image, which is not supported: convert it to JPEG or PNG (opj_decompress)";
        if (encoded.StartsWith("8BPS"u8))
            return "a Photoshop file, which is not supported: export it as JPEG or PNG";
        if (encoded.StartsWith("%PDF-"u8))
            return "a PDF document, not an image";
        if (encoded.StartsWith("PK\u0003\u0004"u8))
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
        return brand is "heic" or "heix" or "heim" or "heis" or "hevc" or "hevx" or "mif1" or "msf1"
                ? "a HEIF image (HEIC, as phones write), which is not supported: convert it to JPEG or PNG (heif-convert)"
            : brand.StartsWith("jp2", StringComparison.Ordinal) || brand == "jpx "
                ? "a JPEG 2000 image, which is not supported: convert it to JPEG or PNG (opj_decompress)"
            : brand == "jxl " ? "a JPEG XL image, which is not supported: convert it to JPEG or PNG (djxl)"
            : brand == "crx " ? "a raw file of a camera, which is not supported: convert it to JPEG or PNG"
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
        )
            return "a web page, not an image: the download gave a page (an error or a login?) in its place";
        if (
            start.StartsWith("<svg", StringComparison.Ordinal)
            || (start.StartsWith("<?xml", StringComparison.Ordinal) && start.Contains("<svg", StringComparison.Ordinal))
        )
            return "an SVG drawing, which is not supported: convert it to PNG";
        // Object stores answer a denied download with an XML document; XHTML pages begin with the same declaration.
        if (start.StartsWith("<?xml", StringComparison.Ordinal))
            return start.Contains("<html", StringComparison.Ordinal)
                ? "a web page, not an image: the download gave a page (an error or a login?) in its place"
                : "an XML document, not an image: the download gave an error in its place?";
        return null;
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
