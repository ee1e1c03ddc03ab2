using System.Buffers.Binary;

namespace TransferPipeline.Images;

/// <summary>Finds the end of a JPEG file (ITU T.81, annex B).</summary>
internal static class JpegEnd
{
    private const byte Marker = 0xFF, StartOfScan = 0xDA;

    private static ReadOnlySpan<byte> EndOfImage => [Marker, 0xD9];

    /// <summary>
    /// The pixels' data is followed by an end marker, beyond which no decoder reads: damaged or not, the file is not one that was cut.
    /// False for headers of an uncommon form too.
    /// </summary>
    public static bool FollowsScan(ReadOnlySpan<byte> encoded)
    {
        // An end marker before the scan would be that of a thumbnail.
        for (var at = 2; at + 4 <= encoded.Length && encoded[at] == Marker;)
        {
            if (encoded[at + 1] == Marker)
            {
                // Any number of these may stand before a marker's code (B.1.1.2).
                at++;
                continue;
            }

            var next = at + 2 + BinaryPrimitives.ReadUInt16BigEndian(encoded[(at + 2)..]);
            if (encoded[at + 1] == StartOfScan)
                return next <= encoded.Length && encoded[next..].LastIndexOf(EndOfImage) >= 0;
            at = next;
        }

        return false;
    }
}
