using System.Buffers.Binary;
using static TransferPipeline.Images.JpegMarkers;

namespace TransferPipeline.Images;

/// <summary>Refuses JPEG of processes that neither Pillow nor the libraries decode, and names the process (ITU T.81, table B.1).</summary>
internal static class JpegKind
{
    /// <exception cref="ImageDecodeException">It is lossless or hierarchical, or its levels are not of 8 bits.</exception>
    public static void Check(ReadOnlySpan<byte> encoded)
    {
        for (var at = 2; at + 5 <= encoded.Length && encoded[at] == Fill && encoded[at + 1] != StartOfScan; )
        {
            var marker = encoded[at + 1];
            // Any number of fill bytes may stand before a marker.
            if (marker == Fill)
            {
                at++;
                continue;
            }

            if (Kind(marker) is { } kind)
                throw new ImageDecodeException($"{kind} JPEG is not supported: convert it to PNG");
            var bits = encoded[at + 4];
            if (IsFrame(marker) && bits is > 8 and <= 16)
                throw new ImageDecodeException($"JPEG of {bits} bits per channel is not supported: convert it to PNG");
            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(encoded[(at + 2)..]);
        }
    }

    private static string? Kind(byte marker) =>
        marker switch
        {
            0xC3 or 0xCB => "lossless",
            (>= 0xC5 and <= 0xC7) or (>= 0xCD and <= 0xCF) => "hierarchical",
            0xF7 => "lossless (JPEG-LS)",
            _ => null,
        };
}
