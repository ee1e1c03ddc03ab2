using System.Buffers.Binary;
using static TransferPipeline.Images.JpegMarkers;

namespace TransferPipeline.ImageSharp;

/// <summary>Fill bytes: any number of FF may stand before the code of a marker (T.81, B.1.1.2).</summary>
internal static class JpegFill
{
    /// <summary>
    /// The file without those of its header, which ImageSharp 2 takes for damage behind the first marker; the same bytes when there are
    /// none.
    /// </summary>
    public static ReadOnlySpan<byte> Without(ReadOnlySpan<byte> encoded)
    {
        MemoryStream? copy = null;
        var start = 0;
        for (var at = 2; at + 4 <= encoded.Length && encoded[at] == Fill && encoded[at + 1] != StartOfScan; )
        {
            if (encoded[at + 1] != Fill)
            {
                at += 2 + BinaryPrimitives.ReadUInt16BigEndian(encoded[(at + 2)..]);
                continue;
            }

            copy ??= new MemoryStream(encoded.Length);
            copy.Write(encoded[start..at]);
            start = ++at;
        }

        if (copy is null)
            return encoded;
        copy.Write(encoded[start..]);
        return copy.ToArray();
    }
}
