using System.Buffers.Binary;

namespace TransferPipeline.ImageSharp;

/// <summary>
/// The segments of a JPEG file in their order (T.81, B.1.1.4). Coded data, fill bytes and markers without a segment are passed over.
/// </summary>
internal ref struct JpegSegments(ReadOnlySpan<byte> encoded)
{
    public const byte ProgressiveFrame = 0xC2,
        StartOfScan = 0xDA,
        RestartInterval = 0xDD;

    private const byte Marker = 0xFF,
        FirstFrame = 0xC0,
        LastFrame = 0xCF,
        HuffmanTables = 0xC4,
        Extension = 0xC8,
        ArithmeticTables = 0xCC;
    private const byte FirstRestart = 0xD0,
        EndOfImage = 0xD9;

    private readonly ReadOnlySpan<byte> _encoded = encoded;

    // Behind the start of the image.
    private int _at = 2;

    /// <summary>The marker's second byte.</summary>
    public byte Code { get; private set; }

    /// <summary>Without its length; as long as that states, or to the end of the file.</summary>
    public ReadOnlySpan<byte> Content { get; private set; }

    /// <summary>Whether it is a frame header: precision, height, width, the number of components, three bytes for each.</summary>
    public readonly bool IsFrame => Code is >= FirstFrame and <= LastFrame and not (HuffmanTables or Extension or ArithmeticTables);

    /// <returns>False at the end of the image or the file, and at a segment that is shorter than its length.</returns>
    public bool MoveNext()
    {
        while (_at + 4 <= _encoded.Length)
        {
            Code = _encoded[_at + 1];
            if (_encoded[_at] != Marker || Code == Marker)
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
