using System.Numerics;
using System.Runtime.Intrinsics;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// Sums of products of columns, in float64 or (where an approximation will do) float32: C = sum over rows of (x - shift)(x - shift)
/// transposed, on all cores.
/// </summary>
internal static unsafe class GramMatrix<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>A task's piece of the result and the converted rows under it (450 KB) stay in the second-level cache.</summary>
    private const int TileRows = 80;

    private const int TileColumns = 256;
    private const int StripColumns = 64;
    private const int MirrorBlock = 32;
    private const int RowBlock = 64;

    /// <summary>Eight values of padding, so that the rows of a block do not share cache sets.</summary>
    private const int PackedStride = TileColumns + 8;

    /// <param name="shift">Subtracted from each row; null for none.</param>
    /// <param name="weights">Factor of each row; null for 1.</param>
    /// <param name="gram">length x length, symmetric; added to.</param>
    public static void Add(RowSet rows, double[]? shift, float[]? weights, T[] gram, int threads, CancellationToken cancellation = default)
    {
        AddUpper(rows, shift, weights, gram, threads, cancellation);
        Mirror(gram, rows.Length, threads);
    }

    /// <summary>The same for the upper triangle alone; what lies below is undefined until <see cref="Mirror"/>.</summary>
    public static void AddUpper(
        RowSet rows,
        double[]? shift,
        float[]? weights,
        T[] gram,
        int threads,
        CancellationToken cancellation = default
    ) => AddUpper(new(rows, shift, null, weights is null ? null : Array.ConvertAll(weights, w => (double)w)), gram, threads, cancellation);

    /// <summary>Each row less its class's mean, times its class's factor.</summary>
    /// <param name="means">Classes x length.</param>
    /// <param name="factors">One per class; null for 1.</param>
    public static void AddByClass(
        RowSet rows,
        double[] means,
        double[]? factors,
        T[] gram,
        int threads,
        CancellationToken cancellation = default
    )
    {
        AddUpper(
            new(rows, means, rows.Labels, factors is null ? null : Array.ConvertAll(rows.Labels, k => factors[k])),
            gram,
            threads,
            cancellation
        );
        Mirror(gram, rows.Length, threads);
    }

    /// <summary>Copies the upper triangle to the lower one, in squares that stay in the first-level cache.</summary>
    public static void Mirror(T[] gram, int length, int threads) =>
        Blocks.For(
            length,
            MirrorBlock,
            threads,
            (_, start, end) =>
            {
                for (var column = 0; column < end; column += MirrorBlock)
                {
                    for (var i = start; i < end; i++)
                    {
                        for (var j = column; j < Math.Min(i, column + MirrorBlock); j++)
                            gram[(long)i * length + j] = gram[(long)j * length + i];
                    }
                }
            }
        );

    /// <summary>From products around one point those around the rows' mean, upper triangle.</summary>
    /// <param name="weight">Of all rows.</param>
    public static void Move(double[] gram, double[] from, double[] mean, double weight, int threads)
    {
        var n = mean.Length;
        Blocks.For(
            n,
            MirrorBlock,
            threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                {
                    // The sum around a mean m is that around a point f less weight (m - f)(m - f)'.
                    var step = weight * (mean[i] - from[i]);
                    for (var j = i; j < n; j++)
                        gram[(long)i * n + j] -= step * (mean[j] - from[j]);
                }
            }
        );
    }

    private static void AddUpper(WeightedRows rows, T[] gram, int threads, CancellationToken cancellation)
    {
        var length = rows.Rows.Length;
        var tiles = new List<(int Row, int Column)>();
        for (var r = 0; r < length; r += TileRows)
        {
            for (var c = 0; c < length; c += TileColumns)
            {
                // Tiles that touch the upper triangle; what lies wholly below it is mirrored.
                if (Math.Min(length, c + TileColumns) > r)
                    tiles.Add((r, c));
            }
        }

        // A task sums its tile over all rows, in order: no two tasks add to one value, and threads change no bit.
        Blocks.For(
            tiles.Count,
            1,
            threads,
            (_, tile, _) =>
            {
                var (r, c) = tiles[tile];
                Tile(rows, r, Math.Min(length, r + TileRows), c, Math.Min(length, c + TileColumns), gram, length);
            },
            cancellation
        );
    }

    private static void Tile(WeightedRows weighted, int rowStart, int rowEnd, int columnStart, int columnEnd, T[] gram, int length)
    {
        // What lies left of the diagonal is mirrored later; the columns left are whole strips of the kernel's.
        columnStart += Math.Max(0, rowStart - columnStart) / StripColumns * StripColumns;
        var rows = weighted.Rows;
        var buffer = new T[RowBlock * (PackedStride + TileRows) + 64];
        var addresses = stackalloc T*[RowBlock];
        fixed (
            T* start = buffer,
                result = gram
        )
        fixed (double* shifts = weighted.Shifts)
        {
            var packed = (T*)(((nuint)start + 63) & ~(nuint)63);
            var factors = packed + RowBlock * PackedStride;
            for (var i = 0; i < RowBlock; i++)
                addresses[i] = packed + i * PackedStride;
            for (var first = 0; first < rows.Count; first += RowBlock)
            {
                var n = Math.Min(RowBlock, rows.Count - first);
                for (var i = 0; i < n; i++)
                {
                    if (first + i + RowBlock < rows.Count)
                    {
                        // A tile takes a kilobyte of each row, which is too little for the hardware prefetcher.
                        FloatVectors.Prefetch(rows.Rows[first + i + RowBlock] + columnStart, columnEnd - columnStart);
                        FloatVectors.Prefetch(rows.Rows[first + i + RowBlock] + rowStart, rowEnd - rowStart);
                    }

                    var origin = weighted.Classes is { } classes ? shifts + (nint)classes[first + i] * length : shifts;
                    // The row's weight goes to one of the two factors only.
                    Convert(rows.Rows[first + i], origin, columnStart, columnEnd, 1, addresses[i]);
                    Convert(
                        rows.Rows[first + i],
                        origin,
                        rowStart,
                        rowEnd,
                        weighted.Weights is { } w ? w[first + i] : 1,
                        factors + i * TileRows
                    );
                }

                ColumnSumKernel<T>.Run(
                    factors,
                    TileRows,
                    addresses,
                    n,
                    rowEnd - rowStart,
                    0,
                    columnEnd - columnStart,
                    result + (nint)rowStart * length + columnStart,
                    length
                );
            }
        }
    }

    /// <summary>(row - shift) x weight from start to end; the difference is taken in float64.</summary>
    public static void Convert(float* row, double* shift, int start, int end, double weight, T* to)
    {
        var (d, factor) = (start, Vector512.Create(weight));
        for (; d + Vector512<float>.Count <= end; d += Vector512<float>.Count)
        {
            var (low, high) = Vector512.Widen(Vector512.Load(row + d));
            if (shift is not null)
                (low, high) = (low - Vector512.Load(shift + d), high - Vector512.Load(shift + d + Vector512<double>.Count));
            if (weight != 1)
                (low, high) = (low * factor, high * factor);
            if (typeof(T) == typeof(float))
            {
                Vector512.Narrow(low, high).Store((float*)(to + (d - start)));
                continue;
            }

            low.Store((double*)(to + (d - start)));
            high.Store((double*)(to + (d - start)) + Vector512<double>.Count);
        }

        for (; d < end; d++)
            to[d - start] = T.CreateTruncating((row[d] - (shift is null ? 0 : shift[d])) * weight);
    }

    /// <param name="Shifts">What is subtracted from each row: one vector, or one per class.</param>
    /// <param name="Classes">Class of each row, when each class has a vector.</param>
    /// <param name="Weights">Factor of each row's product.</param>
    private sealed record WeightedRows(RowSet Rows, double[]? Shifts, int[]? Classes, double[]? Weights);
}
