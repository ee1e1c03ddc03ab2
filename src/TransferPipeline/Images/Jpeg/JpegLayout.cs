using System.Buffers.Binary;

namespace TransferPipeline.Images.Jpeg;

/// <summary>What the markers of a JPEG file say (ITU T.81, annex B) of its end, its components and their quantization.</summary>
internal sealed class JpegLayout
{
    private const byte EndOfImage = 0xD9, Temporary = 0x01, FirstRestart = 0xD0, StartOfImage = 0xD8, Stuffed = 0x00, Fill = 0xFF;
    private const byte FirstFrame = 0xC0, LastFrame = 0xCF, HuffmanTables = 0xC4, Extension = 0xC8, ArithmeticTables = 0xCC, QuantizationTables = 0xDB, Jfif = 0xE0, Adobe = 0xEE;

    /// <summary>A segment that says: components are to be taken as they are (transform 0).</summary>
    private static readonly byte[] NoTransform = [0xFF, Adobe, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0];

    /// <summary>Natural place of each value of a table in file order (T.81, figure A.6).</summary>
    private static readonly byte[] ZigZag =
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    private readonly List<int> _transformsAt = [];
    private readonly int[]?[] _tables = new int[]?[4];
    private (byte Id, int Horizontal, int Vertical, int Table)[] _components = [];
    private bool _hasJfif;
    private int _transform = -1;

    /// <summary>The file has an end-of-image marker of its own: one inside a segment, such as a thumbnail's, does not count.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Luma and two planes of colour difference, by libjpeg's rules: a JFIF segment decides, then Adobe's, then the components' names.</summary>
    public bool IsYCbCr => _components.Length == 3
        && (_hasJfif || (_transform >= 0 ? _transform != 0 : !(_components[0].Id == 'R' && _components[1].Id == 'G' && _components[2].Id == 'B')));

    /// <summary>One plane of grey.</summary>
    public bool IsGrey => _components.Length == 1;

    /// <summary>Luma pixels across and down for each sample of colour difference; 0 when the planes are laid out in an uncommon way.</summary>
    public (int Across, int Down) ChromaStep
    {
        get
        {
            if (IsGrey)
                return (1, 1);
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

    /// <summary>Quantization steps of a component in natural order, 64; null when the file does not give them.</summary>
    public int[]? Steps(int component) => _components[component].Table is >= 0 and < 4 and var table ? _tables[table] : null;

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
        else if (marker == QuantizationTables)
        {
            NoteTables(segment);
        }
        else if (marker is >= FirstFrame and <= LastFrame and not (HuffmanTables or Extension or ArithmeticTables) && segment.Length >= 6 && segment.Length >= 6 + 3 * segment[5])
        {
            _components = new (byte, int, int, int)[segment[5]];
            for (var c = 0; c < _components.Length; c++)
                _components[c] = (segment[6 + 3 * c], segment[7 + 3 * c] >> 4, segment[7 + 3 * c] & 15, segment[8 + 3 * c]);
        }
    }

    /// <summary>Tables of bytes or of words, each after a byte with its kind and number.</summary>
    private void NoteTables(ReadOnlySpan<byte> segment)
    {
        while (segment.Length > 0)
        {
            var (words, number) = (segment[0] >> 4, segment[0] & 15);
            var length = 1 + ZigZag.Length * (words + 1);
            if (words > 1 || number >= _tables.Length || segment.Length < length)
                return;
            var steps = new int[ZigZag.Length];
            for (var k = 0; k < steps.Length; k++)
                steps[ZigZag[k]] = words == 0 ? segment[1 + k] : BinaryPrimitives.ReadUInt16BigEndian(segment[(1 + 2 * k)..]);
            _tables[number] = steps.Contains(0) ? null : steps;
            segment = segment[length..];
        }
    }
}
