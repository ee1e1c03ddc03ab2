using System.Runtime.InteropServices;
using System.Text;
using static TransferPipeline.DuckDb.NativeMethods;

namespace TransferPipeline.DuckDb;

/// <summary>Walks over a result chunk by chunk (at most 2,048 rows); what it hands out is valid until the next chunk.</summary>
internal sealed unsafe class ChunkReader(Result result) : IDisposable
{
    private Result _result = result;
    private nint _chunk;

    /// <summary>Rows of the current chunk.</summary>
    public int Rows { get; private set; }

    /// <summary>Goes to the next chunk.</summary>
    /// <returns>False at the end.</returns>
    public bool Next()
    {
        Release();
        _chunk = FetchChunk(_result);
        if (_chunk == 0)
        {
            // A stream reports an error only by ending: the message tells the two apart.
            if (Marshal.PtrToStringUTF8((nint)ResultError(ref _result)) is { Length: > 0 } error)
                throw new DuckDbException(error);
            return false;
        }

        Rows = (int)ChunkSize(_chunk);
        return Rows > 0;
    }

    public ReadOnlySpan<int> Ints(int column) => new(VectorData(Vector(column)), Rows);

    public ReadOnlySpan<long> Longs(int column) => new(VectorData(Vector(column)), Rows);

    public bool IsNull(int column, int row)
    {
        var validity = VectorValidity(Vector(column));
        return validity != null && (validity[row >> 6] >> (row & 63) & 1) == 0;
    }

    /// <summary>True when any of the chunk's rows lacks a value in this column.</summary>
    public bool AnyNull(int column) => AnyInvalid(VectorValidity(Vector(column)), Rows);

    /// <summary>True when any element of the chunk's lists is null.</summary>
    public bool AnyNullElement(int column)
    {
        var vector = Vector(column);
        return AnyInvalid(VectorValidity(ListChild(vector)), checked((int)ListSize(vector)));
    }

    /// <summary>The bytes of a VARCHAR or BLOB.</summary>
    public ReadOnlySpan<byte> Bytes(int column, int row) => StringEntry.Bytes((StringEntry*)VectorData(Vector(column)) + row);

    public string Text(int column, int row) => Encoding.UTF8.GetString(Bytes(column, row));

    /// <summary>Where each row's elements lie in <see cref="ListValues"/>.</summary>
    public ReadOnlySpan<ListEntry> Lists(int column) => new(VectorData(Vector(column)), Rows);

    /// <summary>The elements of all the chunk's lists.</summary>
    public ReadOnlySpan<float> ListValues(int column)
    {
        var vector = Vector(column);
        return new ReadOnlySpan<float>(VectorData(ListChild(vector)), checked((int)ListSize(vector)));
    }

    public void Dispose()
    {
        Release();
        DestroyResult(ref _result);
    }

    /// <summary>Looks for a 0 among the first <paramref name="count"/> bits; no mask at all means that all are valid.</summary>
    private static bool AnyInvalid(ulong* mask, int count)
    {
        if (mask == null)
            return false;
        var whole = new ReadOnlySpan<ulong>(mask, count / 64);
        var rest = (1UL << (count % 64)) - 1;
        return whole.ContainsAnyExcept(ulong.MaxValue) || (rest != 0 && (mask[count / 64] & rest) != rest);
    }

    private nint Vector(int column) => ChunkVector(_chunk, (ulong)column);

    private void Release()
    {
        if (_chunk != 0)
            DestroyChunk(ref _chunk);
        Rows = 0;
    }
}
