using TransferPipeline.Features;

namespace TransferPipeline.ParquetNet;

/// <summary>The vectors of a row group, which Parquet.Net decodes as a whole.</summary>
internal sealed class VectorReader : IVectorReader
{
    private readonly float[] _values;
    private int _next;

    public VectorReader(string file, string name, RawColumn<float> column, int rows, int width, long fileRow)
    {
        if (column.HasNulls)
            throw ParquetErrors.NoValue(file, name);
        // A column outside of lists has no repetition levels; it fails at the next check.
        var starts = column.Starts ?? [];
        if (starts.Length != column.Values.Length || (starts.Length > 0 && starts[0] != 0))
            throw ParquetErrors.Damaged(file, $"column '{name}' has {column.Values.Length} values and {starts.Length} repetition levels");
        // Lengths are checked before the count, since one row of another length changes the count too.
        if (ParquetErrors.OddRow<int>(starts, width, out var length) is >= 0 and var odd)
            throw ParquetErrors.OtherLength(file, fileRow + odd, length, width);
        if (starts.Length != rows * (long)width)
            throw ParquetErrors.Damaged(file, $"column '{name}' has {starts.Length / width} vectors in a row group of {rows} rows");
        _values = column.Values;
    }

    public void Read(Span<float> destination)
    {
        _values.AsSpan(_next, destination.Length).CopyTo(destination);
        _next += destination.Length;
    }

    public void Dispose() { }
}
