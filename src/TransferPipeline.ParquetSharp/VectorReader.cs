using ParquetSharp;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetSharp;

/// <summary>Decodes the vectors of a row group straight into the caller's memory.</summary>
internal sealed class VectorReader : IVectorReader
{
    /// <summary>Values whose levels are checked at once, about: they stay in the second-level cache.</summary>
    private const int BatchValues = 1 << 16;

    private readonly string _file;
    private readonly string _name;
    private readonly RowGroupReader _group;
    private readonly ColumnReader<float> _reader;
    private readonly short _highest;
    private readonly int _width;
    private readonly short[] _levels;
    private readonly short[] _starts;
    private long _rowsLeft;
    private long _row;

    private VectorReader(string file, RowGroupReader group, ColumnReader<float> column, Leaf leaf, int width, long fileRow)
    {
        (_group, _reader) = (group, column);
        (_file, _name, _width, _row, _rowsLeft) = (file, leaf.Name, width, fileRow, group.MetaData.NumRows);
        _highest = column.ColumnDescriptor.MaxDefinitionLevel;
        // A whole number of vectors, so that every batch begins where a row begins.
        var batch = Math.Max(BatchValues / width, 1) * width;
        (_levels, _starts) = (new short[batch], new short[batch]);
    }

    /// <param name="group">Disposed of with the reader: it keeps the file open, which Windows then neither replaces nor deletes.</param>
    public static VectorReader Open(string file, RowGroupReader group, Leaf leaf, int width, long fileRow)
    {
        ColumnReader? column = null;
        try
        {
            column = group.Column(leaf.Index);
            return column is ColumnReader<float> reader
                ? new(file, group, reader, leaf, width, fileRow)
                : throw ParquetErrors.Damaged(file, $"column '{leaf.Name}' holds {column.Type}, not what its type says");
        }
        catch
        {
            column?.Dispose();
            group.Dispose();
            throw;
        }
    }

    public void Read(Span<float> destination)
    {
        for (var done = 0; done < destination.Length; )
        {
            var count = Math.Min(destination.Length - done, _starts.Length);
            ReadRows(destination.Slice(done, count));
            done += count;
        }

        // After the last row the column must be at its end, or its counts contradict those of the row group.
        if (_rowsLeft == 0 && Explain(() => _reader.HasNext))
            throw Explain(MoreThanExpected);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _group.Dispose();
    }

    /// <summary>Whole vectors, at most as many as the level buffers hold.</summary>
    private unsafe void ReadRows(Span<float> destination)
    {
        var count = destination.Length;
        var read = 0;
        fixed (float* start = destination)
        {
            // A lambda cannot capture a variable of fixed; the copy is valid as long as this block.
            var values = start;
            read = Explain(() =>
            {
                var levels = 0;
                while (levels < count)
                {
                    // A batch ends with a page.
                    var batch = (int)
                        _reader.ReadBatch(
                            count - levels,
                            _levels.AsSpan(levels, count - levels),
                            _starts.AsSpan(levels, count - levels),
                            new Span<float>(values + levels, count - levels),
                            out var present
                        );
                    if (batch <= 0)
                        break;
                    // A lower level is a row without a vector, an empty one, or a value that is missing.
                    if (present != batch || _levels.AsSpan(levels, batch).ContainsAnyExcept(_highest))
                        throw ParquetErrors.NoValue(_file, _name);
                    levels += batch;
                }

                return levels;
            });
        }

        // A batch that does not begin with a row goes on with the one before, which was too long.
        if (read > 0 && _starts[0] != 0)
            throw ParquetErrors.OtherLength(_file, _row - 1, _width + LevelsBeforeNextRow(read), _width);
        // Lengths are checked before the count, since one row of another length changes the count too.
        var odd = ParquetErrors.OddRow<short>(_starts.AsSpan(0, read), _width, out var length);
        if (odd >= 0)
            throw ParquetErrors.OtherLength(_file, _row + odd, length, _width);
        if (read < count)
            throw ParquetErrors.Damaged(_file, $"column '{_name}' has fewer vectors than its row group has rows");
        _row += count / _width;
        _rowsLeft -= count / _width;
    }

    private int LevelsBeforeNextRow(int read) => _starts.AsSpan(0, read).IndexOf((short)0) is >= 0 and var next ? next : read;

    private BadInputException MoreThanExpected()
    {
        var rest = (int)_reader.ReadBatch(_starts.Length, _levels, _starts, new float[_starts.Length], out _);
        return rest > 0 && _starts[0] != 0
            ? ParquetErrors.OtherLength(_file, _row - 1, _width + LevelsBeforeNextRow(rest), _width)
            : ParquetErrors.Damaged(_file, $"column '{_name}' has more vectors than its row group has rows");
    }

    private T Explain<T>(Func<T> read) => ArrowErrors.Explain(_file, read);
}
