using ParquetSharp;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetSharp;

/// <summary>Reads a column of one value per row in batches, so that a damaged number of rows allocates nothing.</summary>
internal static class ColumnValues
{
    /// <summary>Rows read at once.</summary>
    private const int BatchRows = 8192;

    /// <summary>
    /// All rows of a row group as <paramref name="convert"/> makes them of the file's values; null or default where there is none.
    /// </summary>
    public static TResult?[] All<TValue, TResult>(string file, RowGroupReader group, Leaf leaf, int rows, Func<TValue, TResult?> convert)
        where TValue : unmanaged
    {
        var results = new List<TResult?>(Math.Min(rows, BatchRows));
        Each<TValue>(file, group, leaf, 0, rows, (_, present, value) => results.Add(present ? convert(value) : default));
        return [.. results];
    }

    /// <summary>
    /// Calls <paramref name="action"/> for rows in order, with whether there is a value; what a value points to is valid during the call.
    /// </summary>
    public static void Each<TValue>(string file, RowGroupReader group, Leaf leaf, int first, int count, Action<int, bool, TValue> action)
        where TValue : unmanaged
    {
        // In a damaged file a chunk may hold another physical type than the schema; a cast would not name the file.
        using var column = group.Column(leaf.Index);
        if (column is not ColumnReader<TValue> reader)
            throw ParquetErrors.Damaged(file, $"column '{leaf.Name}' holds {column.Type}, not what its type says");
        int highest = column.ColumnDescriptor.MaxDefinitionLevel;
        if (first > 0 && reader.Skip(first) != first)
            throw ParquetErrors.Damaged(file, $"column '{leaf.Name}' ends before row {first} of its row group");
        var levels = new short[BatchRows];
        var values = new TValue[BatchRows];
        for (var row = first; row < first + count; )
        {
            var batch = Math.Min(first + count - row, BatchRows);
            var read = (int)reader.ReadBatch(batch, highest > 0 ? levels : [], [], values, out var present);
            if (read <= 0)
                throw ParquetErrors.Damaged(file, $"column '{leaf.Name}' has {row - first} values in {count} rows");
            var next = 0;
            for (var i = 0; i < read; i++, row++)
            {
                // The highest definition level alone means that there is a value; values of other rows take no place.
                var defined = highest == 0 || levels[i] == highest;
                if (defined && next >= present)
                    throw ParquetErrors.Damaged(file, $"column '{leaf.Name}' has fewer values than it announces");
                action(row, defined, defined ? values[next++] : default);
            }
        }

        // Only at the end of the row group: where fewer rows were requested, more values are expected.
        if (first + count == group.MetaData.NumRows && reader.HasNext)
            throw ParquetErrors.Damaged(file, $"column '{leaf.Name}' has more values than the {count} rows of its row group");
    }
}
