using System.Buffers.Binary;

namespace TransferPipeline.ImageSharp;

/// <summary>What the markers of a JPEG file say (ITU T.81, annex B) of its end and its colours.</summary>
internal sealed class JpegLayout
{
    private const byte EndOfImage = 0xD9, Temporary = 0x01, FirstRestart = 0xD0, StartOfImage = 0xD8, Stuffed = 0x00, Fill = 0xFF;
    private const byte FirstFrame = 0xC0, LastFrame = 0xCF, HuffmanTables = 0xC4, Extension = 0xC8, ArithmeticTables = 0xCC, Jfif = 0xE0, Adobe = 0xEE;

    /// <summary>A segment that says: components are to be taken as they are (transform 0).</summary>
    private static readonly byte[] NoTransform = [0xFF, Adobe, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0];

    private readonly List<int> _transformsAt = [];
    private (byte Id, int Horizontal, int Vertical)[] _components = [];
    private bool _hasJfif;
    private int _transform = -1;

    /// <summary>The file has an end-of-image marker of its own: one inside a segment, such as a thumbnail's, does not count.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Luma and two planes of colour difference, by libjpeg's rules: a JFIF segment decides, then Adobe's, then the components' names.</summary>
    public bool IsYCbCr => _components.Length == 3
        && (_hasJfif || (_transform >= 0 ? _transform != 0 : !(_components[0].Id == 'R' && _components[1].Id == 'G' && _components[2].Id == 'B')));

    /// <summary>Luma pixels across and down for each sample of colour difference; 0 when the planes are laid out in an uncommon way.</summary>
    public (int Across, int Down) ChromaStep
    {
        get
        {
            var (luma, blue, red) = (_components[0], _components[1], _components[2]);
            var common = (blue.Horizontal, blue.Vertical) == (red.Horizontal, red.Vertical) && blue.Horizontal > 0 && blue.Vertical > 0
                && luma.Horizontal % blue.Horizontal == 0 && luma.Vertical % blue.Vertical == 0;
            return common && luma.Horizontal > 0 && luma.Vertical > 0 ? (luma.Horizontal / blue.Horizontal, luma.Vertical / blue.Vertical) : (0, 0);
        }
    }

    public static JpegLayout Read(ReadOnlySpan<byte> encoded)
    {
        var layout = new JpegLayout();
        var at = 0;
        while (true)
        {
            // Between segments there are only markers; after a start of scan, coded data comes first.
            var next = encoded[at..].IndexOf(Fill);
            if (next < 0 || at + next + 1 >= encoded.Length)
                return layout;
            at += next + 1;
            var marker = encoded[at];
            if (marker == EndOfImage)
            {
                layout.IsWhole = true;
                return layout;
            }

            if (marker is Fill or Stuffed or Temporary or (>= FirstRestart and <= StartOfImage))
            {
                at += marker == Fill ? 0 : 1;
                continue;
            }

            if (at + 2 >= encoded.Length)
                return layout;
            var length = BinaryPrimitives.ReadUInt16BigEndian(encoded[(at + 1)..]);
            if (length < 2 || at + 1 + length > encoded.Length)
                return layout;
            layout.Note(marker, encoded.Slice(at + 3, length - 2), at + 3);
            at += 1 + length;
        }
    }

    /// <summary>The same file, marked so that a decoder gives its components as they are; as long as <see cref="UntransformedLength"/> says.</summary>
    public void WriteUntransformed(ReadOnlySpan<byte> encoded, Span<byte> target)
    {
        encoded[..2].CopyTo(target);
        NoTransform.CopyTo(target[2..]);
        encoded[2..].CopyTo(target[(2 + NoTransform.Length)..]);
        foreach (var place in _transformsAt)
            target[place + NoTransform.Length] = 0;
    }

    public static int UntransformedLength(int length) => length + NoTransform.Length;

    private void Note(byte marker, ReadOnlySpan<byte> segment, int at)
    {
        if (marker == Jfif)
        {
            _hasJfif |= segment.StartsWith("JFIF\0"u8);
        }
        else if (marker == Adobe && segment.Length >= 12 && segment.StartsWith("Adobe"u8))
        {
            _transform = segment[11];
            _transformsAt.Add(at + 11);
        }
        else if (marker is >= FirstFrame and <= LastFrame and not (HuffmanTables or Extension or ArithmeticTables) && segment.Length >= 6 && segment.Length >= 6 + 3 * segment[5])
        {
            _components = new (byte, int, int)[segment[5]];
            for (var c = 0; c < _components.Length; c++)
                _components[c] = (segment[6 + 3 * c], segment[7 + 3 * c] >> 4, segment[7 + 3 * c] & 15);
        }
    }
}
