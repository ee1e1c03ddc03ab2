using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Features.Parquet;

/// <summary>
/// Vectors straight from a part's bytes, for files of the form that <c>transfer extract</c> writes: column <c>vector</c> uncompressed, in
/// plain pages (data page v1), without nulls, all of one length. The floats then lie in the file as they do in memory, and reading is a copy.
/// Any other file, damaged ones too, is left to the Parquet library, whose errors tell what is wrong.
/// </summary>
internal sealed class PlainVectors : IDisposable
{
    private const int PageHeaderBytes = 4096;
    private const int LongestLevels = 64 << 20;
    private const int LongestRead = 1 << 28;

    // Parquet's numbers (parquet.thrift): PageType.DATA_PAGE, Encoding.PLAIN, Encoding.RLE.
    private const int DataPage = 0;
    private const int Plain = 0;
    private const int RunLength = 3;

    private readonly string _name;
    private readonly SafeFileHandle _file;
    private readonly long _length;
    private readonly int _columns;
    private readonly List<Values> _values = [];
    private byte[] _levels = [];
    private int _segment;
    private long _read;

    private PlainVectors(string name, SafeFileHandle file, int columns) =>
        (_name, _file, _length, _columns) = (name, file, RandomAccess.GetLength(file), columns);

    /// <summary>Vectors of the file.</summary>
    public int Rows { get; private set; }

    /// <returns>Null when the file has to be read by the Parquet library, as an empty one has.</returns>
    public static PlainVectors? Open(string file, int columns)
    {
        if (!BitConverter.IsLittleEndian || !File.Exists(file))
            return null;
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        var vectors = new PlainVectors(file, handle, columns);
        if (vectors.FindValues())
            return vectors;
        vectors.Dispose();
        return null;
    }

    /// <summary><see cref="IFeatureTable.ReadVectors"/> for such a file.</summary>
    /// <returns>Null when the file has to be read by the Parquet library.</returns>
    public static int? ReadInto(string file, FeatureMatrix destination, int firstRow)
    {
        using var vectors = Open(file, destination.Columns);
        return vectors is null || vectors.Rows > destination.Rows - firstRow ? null : vectors.Read(destination, firstRow, vectors.Rows);
    }

    /// <summary><see cref="IFeatureTable.ReadBlocks"/> for such a file.</summary>
    /// <returns>Null when the file has to be read by the Parquet library.</returns>
    public static int? ReadBlocks(string file, FeatureMatrix block, int filled, Action full)
    {
        using var vectors = Open(file, block.Columns);
        if (vectors is null)
            return null;
        for (var left = vectors.Rows; left > 0;)
        {
            var count = vectors.Read(block, filled, Math.Min(left, block.Rows - filled));
            (left, filled) = (left - count, filled + count);
            if (filled < block.Rows)
                continue;
            full();
            filled = 0;
        }

        return filled;
    }

    /// <summary>Reads the next vectors into rows of a matrix.</summary>
    /// <param name="count">Of those that are left.</param>
    /// <returns><paramref name="count"/>.</returns>
    /// <exception cref="BadInputException">The file cannot be read further, or became shorter while it was read.</exception>
    public int Read(FeatureMatrix destination, int firstRow, int count)
    {
        var target = destination.Data.AsSpan(firstRow * _columns, count * _columns);
        var filled = 0;
        while (filled < target.Length && _segment < _values.Count)
        {
            var (start, length) = _values[_segment];
            var take = (int)Math.Min(Math.Min(target.Length - filled, length - _read), LongestRead);
            Fill(MemoryMarshal.AsBytes(target.Slice(filled, take)), start + _read * sizeof(float));
            (filled, _read) = (filled + take, _read + take);
            if (_read == length)
                (_segment, _read) = (_segment + 1, 0);
        }

        return filled / _columns;
    }

    public void Dispose() => _file.Dispose();

    private void Fill(Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            var read = ReadSome(bytes, offset);
            if (read == 0)
                throw new BadInputException($"{_name} became shorter while it was read; try again when nothing writes to the feature set");
            bytes = bytes[read..];
            offset += read;
        }
    }

    private int ReadSome(Span<byte> bytes, long offset)
    {
        try
        {
            return RandomAccess.Read(_file, bytes, offset);
        }
        catch (IOException e)
        {
            throw new BadInputException($"{_name} cannot be read ({e.Message.Split('\n', 2)[0].Trim()})", e);
        }
    }

    /// <summary>Looks at all pages' headers and levels.</summary>
    private bool FindValues()
    {
        var column = VectorColumn.Find(_file, _length);
        if (column is null)
            return false;
        var rows = 0L;
        foreach (var chunk in column.Chunks)
        {
            if (chunk.Start < 0 || chunk.Length < 0 || chunk.Start > _length - chunk.Length || chunk.Values != chunk.Rows * _columns)
                return false;
            if (!FindPages(chunk, column.MaxDefinitionLevel))
                return false;
            rows += chunk.Rows;
        }

        Rows = (int)rows;
        return rows is > 0 and <= int.MaxValue;
    }

    private bool FindPages(VectorColumn.Chunk chunk, int definitionLevel)
    {
        var (at, end, values, position) = (chunk.Start, chunk.Start + chunk.Length, 0L, _columns);
        var bytes = new byte[(int)Math.Min(PageHeaderBytes, chunk.Length)];
        while (at < end)
        {
            var header = bytes.AsSpan(0, (int)Math.Min(bytes.Length, end - at));
            Fill(header, at);
            var page = Page.Read(header);
            if (page is not { } found || found.Size > end - at - found.HeaderLength)
                return false;
            at += found.HeaderLength;
            var (start, next) = (at, at + found.Size);
            if (!Levels(ref start, next, out var repetitions) || !LevelRuns.AreRows(repetitions, found.Values, _columns, ref position)
                || !Levels(ref start, next, out var definitions) || !LevelRuns.AreAll(definitions, found.Values, definitionLevel)
                || next - start != found.Values * sizeof(float))
                return false;
            _values.Add(new(start, found.Values));
            (at, values) = (next, values + found.Values);
        }

        return values == chunk.Values && position == _columns;
    }

    /// <summary>Reads levels, whose length stands before them; they are valid until the next call.</summary>
    /// <param name="at">Where they start in the file; becomes where they end.</param>
    private bool Levels(ref long at, long end, out ReadOnlySpan<byte> levels)
    {
        levels = [];
        if (end - at < sizeof(int))
            return false;
        Span<byte> head = stackalloc byte[sizeof(int)];
        Fill(head, at);
        var length = BinaryPrimitives.ReadInt32LittleEndian(head);
        at += sizeof(int);
        if (length < 0 || length > end - at || length > LongestLevels)
            return false;
        if (_levels.Length < length)
            _levels = new byte[length];
        Fill(_levels.AsSpan(0, length), at);
        at += length;
        levels = _levels.AsSpan(0, length);
        return true;
    }

    /// <summary>Floats that lie together in the file.</summary>
    private readonly record struct Values(long Start, long Length);

    /// <summary>What a data page's header says.</summary>
    private readonly record struct Page(int HeaderLength, long Size, long Values)
    {
        public static Page? Read(ReadOnlySpan<byte> bytes)
        {
            var reader = new ThriftReader(bytes);
            var (id, type, size, packedSize, values) = (0, -1L, -1L, -1L, -1L);
            while (reader.Next(ref id, out var kind))
            {
                switch (id)
                {
                    case 1:
                        type = reader.Int(kind);
                        break;
                    case 2:
                        size = reader.Int(kind);
                        break;
                    case 3:
                        packedSize = reader.Int(kind);
                        break;
                    case 5:
                        reader.Struct(kind);
                        values = ReadData(ref reader);
                        break;
                    default:
                        reader.Skip(kind);
                        break;
                }
            }

            var usable = !reader.Failed && type == DataPage && size == packedSize && size >= 0 && values > 0 && values <= int.MaxValue;
            return usable ? new(reader.Position, size, values) : null;
        }

        /// <returns>The number of values, or -1 when they are not plain.</returns>
        private static long ReadData(ref ThriftReader reader)
        {
            var (id, values, usable) = (0, -1L, true);
            while (reader.Next(ref id, out var kind))
            {
                switch (id)
                {
                    case 1:
                        values = reader.Int(kind);
                        break;
                    case 2:
                        usable &= reader.Int(kind) == Plain;
                        break;
                    case 3 or 4:
                        usable &= reader.Int(kind) == RunLength;
                        break;
                    default:
                        reader.Skip(kind);
                        break;
                }
            }

            return usable ? values : -1;
        }
    }
}
