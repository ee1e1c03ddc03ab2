using System.Buffers.Binary;

namespace TransferPipeline.ImageSharp;

/// <summary>Where a JPEG file ends, by its markers (ITU T.81, annex B).</summary>
internal static class JpegExtent
{
    private const byte EndOfImage = 0xD9, Temporary = 0x01, FirstRestart = 0xD0, StartOfImage = 0xD8, Stuffed = 0x00, Fill = 0xFF;

    /// <summary>The file has an end-of-image marker of its own: one inside a segment, such as a thumbnail's, does not count.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> encoded)
    {
        var at = 0;
        while (true)
        {
            // Between segments there are only markers; after a start of scan, coded data comes first.
            var next = encoded[at..].IndexOf(Fill);
            if (next < 0 || at + next + 1 >= encoded.Length)
                return false;
            at += next + 1;
            var marker = encoded[at];
            if (marker == EndOfImage)
                return true;
            if (marker is Fill or Stuffed or Temporary or (>= FirstRestart and <= StartOfImage))
            {
                at += marker == Fill ? 0 : 1;
                continue;
            }

            if (at + 2 >= encoded.Length)
                return false;
            at += 1 + BinaryPrimitives.ReadUInt16BigEndian(encoded[(at + 1)..]);
            if (at >= encoded.Length)
                return false;
        }
    }
}
