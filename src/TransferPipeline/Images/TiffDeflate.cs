using System.IO.Compression;

namespace TransferPipeline.Images;

/// <summary>
/// Refuses deflate data of a TIFF that libtiff reads differently from build to build: with libdeflate, as Pillow has it, a wrong checksum
/// is an error, and the end of data that is too long stays unwritten; with zlib, as libvips has it, both are read.
/// </summary>
internal static class TiffDeflate
{
    private const int Deflate = 8,
        OldDeflate = 32946,
        SeparatePlanes = 2,
        LowBitFirst = 2,
        BufferLength = 1 << 16;

    /// <exception cref="ImageDecodeException">A strip or tile is damaged, or is not as long as its pixels.</exception>
    public static void Check(ReadOnlySpan<byte> encoded, DecodeOptions options)
    {
        var (width, height) = (TiffTags.First(encoded, TiffTags.Width) ?? 0, TiffTags.First(encoded, TiffTags.Height) ?? 0);
        // Over the limit nothing is unpacked; the decoder refuses it by its size.
        if (
            TiffTags.First(encoded, TiffTags.Compression) is not (Deflate or OldDeflate)
            || width < 1
            || height < 1
            || !options.Allows(width, height)
        )
            return;
        var isTiled = TiffTags.IsTiled(encoded);
        var offsets = TiffTags.All(encoded, isTiled ? TiffTags.TileOffsets : TiffTags.StripOffsets);
        var counts = TiffTags.All(encoded, isTiled ? TiffTags.TileByteCounts : TiffTags.StripByteCounts);
        var samples = TiffTags.First(encoded, TiffTags.Samples) ?? 1;
        var bits = (TiffTags.First(encoded, TiffTags.Bits) ?? 1) * (IsInPlanes(encoded) ? 1 : samples);
        var (across, down) = isTiled
            ? (TiffTags.First(encoded, TiffTags.TileWidth) ?? 0, TiffTags.First(encoded, TiffTags.TileHeight) ?? 0)
            : (width, Math.Clamp(TiffTags.First(encoded, TiffTags.RowsPerStrip) ?? height, 1, height));
        if (across < 1 || down < 1 || !options.Allows(across, down))
            return;
        var (rowBytes, perPlane) = ((across * bits + 7) / 8, (height + down - 1) / down);
        var (buffer, isReversed) = (new byte[BufferLength], TiffTags.First(encoded, TiffTags.FillOrder) == LowBitFirst);
        for (var i = 0; i < Math.Min(offsets.Count, counts.Count); i++)
        {
            // Where a count is missing libtiff estimates it.
            if (counts[i] == 0 || offsets[i] > encoded.Length - counts[i])
                continue;
            var isLast = !isTiled && i % perPlane == perPlane - 1;
            var length = rowBytes * (isLast ? height - (perPlane - 1) * down : down);
            var packed = encoded.Slice((int)offsets[i], (int)counts[i]).ToArray();
            if (isReversed)
                Reverse(packed);
            var found = Unpack(packed, rowBytes * down, buffer);
            // Some writers fill the last strip up with rows below the picture.
            if (found != length && !(isLast && found == rowBytes * down))
                throw new ImageDecodeException(
                    found < 0
                        ? "damaged TIFF: its deflate data or their checksum is wrong"
                        : $"damaged TIFF: a part's deflate data hold {(found > length ? "more than " : "")}{Math.Min(found, length)} "
                            + $"bytes, expected {length}"
                );
        }
    }

    private static bool IsInPlanes(ReadOnlySpan<byte> encoded) => TiffTags.First(encoded, TiffTags.Planes) == SeparatePlanes;

    /// <summary>The bits of each byte in the other order: libtiff turns them before it unpacks them.</summary>
    private static void Reverse(Span<byte> bytes)
    {
        foreach (ref var value in bytes)
        {
            // Halves, quarters and eighths change places.
            value = (byte)(value >> 4 | value << 4);
            value = (byte)((value & 0xCC) >> 2 | (value & 0x33) << 2);
            value = (byte)((value & 0xAA) >> 1 | (value & 0x55) << 1);
        }
    }

    /// <summary>Bytes that are unpacked, at most one more than <paramref name="most"/>; -1 when they are damaged.</summary>
    private static long Unpack(byte[] packed, long most, byte[] buffer)
    {
        using var stream = new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress);
        try
        {
            var length = 0L;
            // The read behind the last byte checks the sum.
            for (int read; length <= most && (read = stream.Read(buffer)) > 0; )
                length += read;
            return Math.Min(length, most + 1);
        }
        catch (InvalidDataException)
        {
            return -1;
        }
    }
}
