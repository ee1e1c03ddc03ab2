using System.Buffers.Binary;
using static TransferPipeline.Images.JpegMarkers;

namespace TransferPipeline.ImageSharp;

/// <summary>
/// The segments of a JPEG file in their order (T.81, B.1.1.4). Coded data, fill bytes and markers without a segment are passed over.
/// </summary>
internal ref struct JpegSegments(ReadOnlySpan<byte> encoded)
{
    private readonly ReadOnlySpan<byte> _encoded = encoded;

    // Behind the start of the image.
    private int _at = 2;

    /// <summary>The marker's second byte.</summary>
    public byte Code { get; private set; }

    /// <summary>Without its length; as long as that states, or to the end of the file.</summary>
    public ReadOnlySpan<byte> Content { get; private set; }

    /// <returns>False at the end of the image or the file, and at a length below 2, which counts itself.</returns>
    public bool MoveNext()
    {
        while (_at + 4 <= _encoded.Length)
        {
            Code = _encoded[_at + 1];
            if (_encoded[_at] != Fill || Code == Fill)
            {
                _at++;
                continue;
            }

            if (Code == EndOfImage)
                return false;
            // A zero behind FF is data, and no segment follows the markers below SOF0 and those of restarts.
            if (Code is < FirstFrame or (>= FirstRestart and < EndOfImage))
            {
                _at += 2;
                continue;
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(_encoded[(_at + 2)..]);
            if (length < 2)
                return false;
            Content = _encoded[(_at + 4)..Math.Min(_at + 2 + length, _encoded.Length)];
            _at += 2 + length;
            return true;
        }

        return false;
    }
}
