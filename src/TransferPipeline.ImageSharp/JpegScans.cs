using System.Buffers.Binary;
using static TransferPipeline.Images.JpegMarkers;

namespace TransferPipeline.ImageSharp;

/// <summary>
/// Finds JPEG files from whose scans ImageSharp 2 makes other pictures: a scan of some of the components together, and restart markers in a
/// progressive file.
/// </summary>
internal static class JpegScans
{
    public static bool AreMisread(ReadOnlySpan<byte> encoded)
    {
        var (components, isProgressive, hasRestarts) = (0, false, false);
        for (var segments = new JpegSegments(encoded); segments.MoveNext(); )
        {
            var content = segments.Content;
            if (IsFrame(segments.Code) && content.Length > 5)
                (components, isProgressive) = (content[5], segments.Code == FirstProgressive);
            else if (segments.Code == RestartInterval && content.Length > 1)
                hasRestarts = BinaryPrimitives.ReadUInt16BigEndian(content) > 0;
            else if (
                segments.Code == StartOfScan
                && content.Length > 0
                && ((content[0] > 1 && content[0] < components) || (isProgressive && hasRestarts))
            )
                return true;
        }

        return false;
    }
}
