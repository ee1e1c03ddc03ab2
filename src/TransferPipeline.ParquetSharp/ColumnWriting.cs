using ParquetSharp;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetSharp;

/// <summary>Hands a run of rows to a column's writer.</summary>
internal static class ColumnWriting
{
    /// <summary>Values whose levels are made at once, about.</summary>
    private const int BatchValues = 1 << 20;

    public static void Write<TRow>(ColumnWriter writer, TableColumn<TRow> column, IReadOnlyList<TRow> rows, int start, int count)
    {
        switch (column)
        {
            case TextColumn<TRow> text:
                WriteTexts((ColumnWriter<ByteArray>)writer, Values(rows, start, count, text.Value));
                break;
            case Int32Column<TRow> numbers:
                ((ColumnWriter<int>)writer).WriteBatch(Values(rows, start, count, numbers.Value));
                break;
            case Int64Column<TRow> numbers:
                ((ColumnWriter<long>)writer).WriteBatch(Values(rows, start, count, numbers.Value));
                break;
            default:
                throw new NotSupportedException($"no writer for column '{column.Name}'");
        }
    }

    /// <summary>Rows of the matrix as they lie in memory, with levels that say where each begins.</summary>
    public static void WriteVectors(ColumnWriter<float> writer, FeatureMatrix vectors, int start, int count)
    {
        var width = vectors.Columns;
        var batchRows = Math.Min(Math.Max(BatchValues / width, 1), count);
        var (levels, starts) = (new short[batchRows * width], new short[batchRows * width]);
        Array.Fill(levels, writer.ColumnDescriptor.MaxDefinitionLevel);
        // Repetition level 0 begins a row, the highest one goes on with its list.
        Array.Fill(starts, writer.ColumnDescriptor.MaxRepetitionLevel);
        for (var i = 0; i < batchRows; i++)
            starts[i * width] = 0;
        // All vectors have one length, so that the levels of the first batch are those of every batch.
        for (var row = start; row < start + count; row += batchRows)
        {
            var values = Math.Min(batchRows, start + count - row) * width;
            writer.WriteBatch(values, levels.AsSpan(0, values), starts.AsSpan(0, values), vectors.Data.AsSpan(row * width, values));
        }
    }

    private static T[] Values<TRow, T>(IReadOnlyList<TRow> rows, int start, int count, Func<TRow, T> value)
    {
        var values = new T[count];
        for (var i = 0; i < count; i++)
            values[i] = value(rows[start + i]);
        return values;
    }

    /// <summary>The native writer takes addresses: all texts lie one after the other in one pinned array.</summary>
    private static unsafe void WriteTexts(ColumnWriter<ByteArray> writer, string[] texts)
    {
        // One byte more, since fixed gives no address for an empty array.
        var bytes = new byte[texts.Sum(text => (long)System.Text.Encoding.UTF8.GetByteCount(text)) + 1];
        var values = new ByteArray[texts.Length];
        fixed (byte* start = bytes)
        {
            var next = 0;
            for (var i = 0; i < texts.Length; i++)
            {
                var length = System.Text.Encoding.UTF8.GetBytes(texts[i], bytes.AsSpan(next));
                values[i] = new ByteArray((nint)(start + next), length);
                next += length;
            }

            // Within fixed: the writer reads from the addresses during this call only.
            writer.WriteBatch(values);
        }
    }
}
