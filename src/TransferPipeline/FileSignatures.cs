namespace TransferPipeline;

/// <summary>
/// The first bytes of file formats that more than one reader recognizes, as the formats define them. What to do with such a file depends
/// on what was expected in its place, so each reader has its own words.
/// </summary>
internal static class FileSignatures
{
    public static ReadOnlySpan<byte> Gzip => [0x1F, 0x8B];

    public static ReadOnlySpan<byte> Bzip2 => "BZh"u8;

    public static ReadOnlySpan<byte> Xz => [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0];

    public static ReadOnlySpan<byte> Zstandard => [0x28, 0xB5, 0x2F, 0xFD];

    public static ReadOnlySpan<byte> Zip => "PK\x03\x04"u8;

    public static ReadOnlySpan<byte> SevenZip => [(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C];

    public static ReadOnlySpan<byte> Rar => "Rar!"u8;

    public static ReadOnlySpan<byte> Hdf5 => [0x89, (byte)'H', (byte)'D', (byte)'F'];

    public static ReadOnlySpan<byte> NumPy => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    public static ReadOnlySpan<byte> GitLfs => "version https://git-lfs"u8;

    /// <summary>SOI and the first byte of the next marker, as in Pillow: two bytes alone also begin other binary files.</summary>
    public static ReadOnlySpan<byte> Jpeg => [0xFF, 0xD8, 0xFF];

    /// <summary>All eight bytes: a transfer in text mode changes their line ends, and has damaged the rest too (PNG, 5.2).</summary>
    public static ReadOnlySpan<byte> Png => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>The beginning of <see cref="Png"/>, by which a damaged file is still called a PNG.</summary>
    public static ReadOnlySpan<byte> PngName => Png[..6];

    public static ReadOnlySpan<byte> Gif87 => "GIF87a"u8;

    public static ReadOnlySpan<byte> Gif89 => "GIF89a"u8;

    /// <summary>Where <see cref="Tar"/> stands in the header of a tar file's first member (POSIX.1-1988).</summary>
    public const int TarAt = 257;

    public static ReadOnlySpan<byte> Tar => "ustar"u8;

    /// <summary>RIFF alone is the container of WAV and AVI as well; its length stands before the name of what is in it.</summary>
    public static bool IsWebP(ReadOnlySpan<byte> start) =>
        start.Length >= 12 && start.StartsWith("RIFF"u8) && start[8..12].SequenceEqual("WEBP"u8);

    public static bool IsTar(ReadOnlySpan<byte> start) => start.Length >= TarAt && start[TarAt..].StartsWith(Tar);
}
