using System.Globalization;
using Google.Protobuf;

namespace TransferPipeline.Onnx;

/// <summary>
/// Copies a serialized ModelProto without the raw data of its large initializers, which become external data in the same file.
/// Works on the protobuf wire format (tag, then varint, 4 or 8 bytes, or length and payload), so that the weights are never read.
/// </summary>
internal sealed class SkeletonReader : IDisposable
{
    private const int ModelGraph = 7;
    private const int GraphInitializer = 5;
    private const int TensorRawData = 9;

    private readonly string _file;
    private readonly FileStream _stream;
    private readonly long _length;
    private long _position;

    private SkeletonReader(string file)
    {
        _file = file;
        _stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        _length = _stream.Length;
    }

    /// <exception cref="InvalidDataException">The file is not in the wire format.</exception>
    public static byte[] Read(string file)
    {
        using var reader = new SkeletonReader(file);
        var skeleton = new MemoryStream();
        reader.CopyMessage(
            reader._length,
            skeleton,
            ModelGraph,
            static (r, end, graph) => r.CopyMessage(end, graph, GraphInitializer, static (r, end, tensor) => r.CopyTensor(end, tensor))
        );
        return skeleton.ToArray();
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>
    /// Copies fields up to <paramref name="end"/>; the payload of <paramref name="nestedField"/> goes through
    /// <paramref name="copyNested"/>.
    /// </summary>
    private void CopyMessage(long end, MemoryStream to, int nestedField, Action<SkeletonReader, long, MemoryStream> copyNested)
    {
        while (_position < end)
        {
            var tag = ReadVarint(end);
            // Wire type 2 is a length and a payload: messages, bytes, strings and packed numbers.
            if (tag == (ulong)(nestedField << 3 | 2))
            {
                var nestedEnd = ReadLength(end);
                var nested = new MemoryStream();
                // The nested message shrinks, so its new length is known only after it was copied.
                copyNested(this, nestedEnd, nested);
                ModelSerializer.Varint(to, tag);
                ModelSerializer.Varint(to, (ulong)nested.Length);
                nested.WriteTo(to);
            }
            else
            {
                CopyField(tag, end, to);
            }
        }
    }

    private void CopyTensor(long end, MemoryStream to)
    {
        TensorProto? reference = null;
        while (_position < end)
        {
            var tag = ReadVarint(end);
            if (tag != (TensorRawData << 3 | 2))
            {
                CopyField(tag, end, to);
                continue;
            }

            var dataEnd = ReadLength(end);
            var (offset, length) = (_position, dataEnd - _position);
            if (length <= OnnxFile.InlineLimit)
            {
                ModelSerializer.Varint(to, tag);
                ModelSerializer.Varint(to, (ulong)length);
                CopyBytes(length, to);
            }
            else
            {
                // A seek: the weights are not read.
                _stream.Seek(length, SeekOrigin.Current);
                _position += length;
                reference = new TensorProto();
                TensorData.SetLocation(reference, _file, offset, length);
            }
        }

        // Last, so that a data_location DEFAULT that stands behind the data in the file does not count: onnx.load_external_data writes one.
        if (reference is not null)
            to.Write(reference.ToByteArray());
    }

    private void CopyField(ulong tag, long end, MemoryStream to)
    {
        ModelSerializer.Varint(to, tag);
        switch (tag & 7)
        {
            // 0 varint, 1 fixed 64 bits, 5 fixed 32 bits, 2 length and payload; 3 and 4 are groups, which ONNX never had.
            case 0:
                ModelSerializer.Varint(to, ReadVarint(end));
                break;
            case 1 or 5:
                var size = (tag & 7) == 1 ? 8 : 4;
                if (_position + size > end)
                    throw Invalid();
                CopyBytes(size, to);
                break;
            case 2:
                var length = ReadLength(end) - _position;
                ModelSerializer.Varint(to, (ulong)length);
                CopyBytes(length, to);
                break;
            default:
                throw Invalid();
        }
    }

    private long ReadLength(long end)
    {
        var length = ReadVarint(end);
        // Compared without an addition: a hostile length near 2^64 would overflow one.
        if (length > (ulong)(end - _position))
            throw new InvalidDataException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"it ends early: at byte {_position} a part of {length} bytes begins, {end - _position} are left"
                )
            );
        return _position + (long)length;
    }

    private ulong ReadVarint(long end)
    {
        var value = 0UL;
        // 64 bits take at most ten groups of seven; an eleventh is no varint.
        for (var shift = 0; shift < 64; shift += 7)
        {
            var read = _position < end ? _stream.ReadByte() : -1;
            if (read < 0)
                throw Invalid();
            _position++;
            value |= (ulong)(read & 0x7f) << shift;
            if (read < 0x80)
                return value;
        }

        throw Invalid();
    }

    private void CopyBytes(long count, MemoryStream to)
    {
        if (to.Length + count > Array.MaxLength)
            throw new InvalidDataException("more than 2 GB outside of its initializers");
        var start = (int)to.Length;
        to.SetLength(start + count);
        _stream.ReadExactly(to.GetBuffer().AsSpan(start, (int)count));
        to.Position = start + count;
        _position += count;
    }

    private InvalidDataException Invalid() => new(string.Create(CultureInfo.InvariantCulture, $"no valid field at byte {_position}"));
}
