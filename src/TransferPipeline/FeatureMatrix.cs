namespace TransferPipeline;

/// <summary>
/// Rows x Columns float32 values, row-major and contiguous. Values that the matrix allocates itself are pinned (native code may hold the
/// address while the object lives); an array of the caller's may move.
/// </summary>
public sealed class FeatureMatrix
{
    /// <summary>A matrix whose values are not initialized.</summary>
    public FeatureMatrix(int rows, int columns)
        // checked: a product beyond 2^31 would wrap and allocate a small array.
        // Clearing gigabytes would cost a pass over memory.
        : this(rows, columns, GC.AllocateUninitializedArray<float>(checked(rows * columns), pinned: true)) { }

    /// <param name="data">At least rows x columns values; not copied.</param>
    public FeatureMatrix(int rows, int columns, float[] data)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        // In 64 bits, since the product of two valid sizes may exceed int.
        ArgumentOutOfRangeException.ThrowIfLessThan(data.LongLength, (long)rows * columns);
        (Rows, Columns, Data) = (rows, columns, data);
    }

    /// <summary>Number of vectors.</summary>
    public int Rows { get; }

    /// <summary>Values per vector.</summary>
    public int Columns { get; }

    /// <summary>All values: row 0 first; may be longer than rows x columns.</summary>
    public float[] Data { get; }

    /// <summary>The values of one row, not a copy.</summary>
    public Span<float> Row(int row) => Data.AsSpan(row * Columns, Columns);

    /// <summary>A copy of the given rows, in that order.</summary>
    public FeatureMatrix Select(ReadOnlySpan<int> rows)
    {
        var selected = new FeatureMatrix(rows.Length, Columns);
        for (var i = 0; i < rows.Length; i++)
            Row(rows[i]).CopyTo(selected.Row(i));
        return selected;
    }
}
