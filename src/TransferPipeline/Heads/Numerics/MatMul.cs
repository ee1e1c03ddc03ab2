namespace TransferPipeline.Heads.Numerics;

/// <summary>Products of row-major float32 matrices on all cores; results do not depend on the number of threads.</summary>
internal static unsafe class MatMul
{
    /// <summary>Bytes of a block of rows: it stays in the second-level cache while it is used.</summary>
    private const int BlockBytes = 384 * 1024;

    /// <summary>Columns of a piece of the result of <see cref="AddTransposedA"/>.</summary>
    private const int ColumnBlock = 256;

    /// <summary>Rows of A and B that <see cref="AddTransposedA"/> sums in registers before it adds to the result.</summary>
    private const int SumRows = 128;

    /// <summary>Rows of A in a block, a multiple of the kernels' four.</summary>
    // The size follows from the shapes alone, so that blocks and their sums do not depend on the number of threads.
    public static int RowsPerBlock(int columns, int bRows) => Math.Clamp(BlockBytes / (4 * Math.Max(1, columns + bRows / 4)) & -4, 8, 256);

    /// <summary>c (aRows x bRows) = a (aRows x columns) times the transpose of b (bRows x columns).</summary>
    public static void TransposedB(
        ReadOnlySpan<float> a,
        ReadOnlySpan<float> b,
        Span<float> c,
        int aRows,
        int bRows,
        int columns,
        int threads = 1
    )
    {
        Check(a.Length, aRows, columns);
        Check(b.Length, bRows, columns);
        Check(c.Length, aRows, bRows);
        if (aRows == 0 || bRows == 0)
            return;
        fixed (
            float* pa = a,
                pb = b,
                pc = c
        )
        {
            var (x, w, z) = ((nint)pa, (nint)pb, (nint)pc);
            Blocks.For(
                aRows,
                RowsPerBlock(columns, bRows),
                threads,
                (_, start, end) =>
                {
                    var rows = stackalloc float*[end - start];
                    for (var i = start; i < end; i++)
                        rows[i - start] = (float*)x + (nint)i * columns;
                    RowDotKernel<float>.Run(rows, end - start, (float*)w, columns, bRows, columns, (float*)z + (nint)start * bRows, bRows);
                }
            );
        }
    }

    /// <summary>c (aColumns x bColumns) += the transpose of a (rows x aColumns) times b (rows x bColumns).</summary>
    public static void AddTransposedA(
        ReadOnlySpan<float> a,
        ReadOnlySpan<float> b,
        Span<float> c,
        int rows,
        int aColumns,
        int bColumns,
        int threads = 1
    )
    {
        Check(a.Length, rows, aColumns);
        Check(b.Length, rows, bColumns);
        Check(c.Length, aColumns, bColumns);
        if (rows == 0 || aColumns == 0 || bColumns == 0)
            return;
        fixed (
            float* pa = a,
                pb = b,
                pc = c
        )
        {
            var (p, x, g) = ((nint)pa, (nint)pb, (nint)pc);
            Blocks.For(
                bColumns,
                ColumnBlock,
                threads,
                (_, start, end) =>
                {
                    // A task owns its columns of c for all rows: nothing is added by two threads, and the order of the rows is fixed.
                    var addresses = stackalloc float*[SumRows];
                    for (var first = 0; first < rows; first += SumRows)
                    {
                        var n = Math.Min(SumRows, rows - first);
                        for (var i = 0; i < n; i++)
                            addresses[i] = (float*)x + (nint)(first + i) * bColumns;
                        ColumnSumKernel<float>.Run(
                            (float*)p + (nint)first * aColumns,
                            aColumns,
                            addresses,
                            n,
                            aColumns,
                            start,
                            end,
                            (float*)g,
                            bColumns
                        );
                    }
                }
            );
        }
    }

    private static void Check(int length, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ArgumentOutOfRangeException.ThrowIfLessThan((long)length, (long)rows * columns);
    }
}
