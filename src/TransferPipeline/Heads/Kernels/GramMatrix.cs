using System.Numerics;
using System.Numerics.Tensors;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads.Kernels;

/// <summary>Sums of products of columns, in float64 or (where an approximation will do) float32: C = sum over rows of (x - shift)(x - shift) transposed, on all cores.</summary>
internal static unsafe class GramMatrix<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>A task's piece of the result and the converted rows under it (450 KB) stay in the second-level cache.</summary>
    private const int TileRows = 80;

    private const int TileColumns = 256;
    private const int RowBlock = 64;

    /// <summary>Eight values of padding, so that the rows of a block do not share cache sets.</summary>
    private const int PackedStride = TileColumns + 8;

    /// <param name="shift">Subtracted from each row; null for none.</param>
    /// <param name="weights">Factor of each row; null for 1.</param>
    /// <param name="gram">length x length, symmetric; added to.</param>
    public static void Add(RowSet rows, double[]? shift, float[]? weights, T[] gram, int threads, CancellationToken cancellation = default)
    {
        var length = rows.Length;
        var tiles = new List<(int Row, int Column)>();
        for (var r = 0; r < length; r += TileRows)
        {
            for (var c = 0; c < length; c += TileColumns)
            {
                if (Math.Min(length, c + TileColumns) > r)
                    tiles.Add((r, c));
            }
        }

        Blocks.For(tiles.Count, 1, threads, (_, tile, _) =>
        {
            var (r, c) = tiles[tile];
            Tile(rows, shift, weights, r, Math.Min(length, r + TileRows), c, Math.Min(length, c + TileColumns), gram, length);
        }, cancellation);
        Blocks.For(length, 64, threads, (_, start, end) =>
        {
            for (var i = start; i < end; i++)
            {
                for (var j = 0; j < i; j++)
                    gram[(long)i * length + j] = gram[(long)j * length + i];
            }
        });
    }

    private static void Tile(
        RowSet rows, double[]? shift, float[]? weights, int rowStart, int rowEnd, int columnStart, int columnEnd, T[] gram, int length)
    {
        var buffer = new T[RowBlock * (PackedStride + TileRows)];
        var addresses = stackalloc T*[RowBlock];
        fixed (T* packed = buffer, result = gram)
        {
            var factors = packed + RowBlock * PackedStride;
            for (var i = 0; i < RowBlock; i++)
                addresses[i] = packed + i * PackedStride;
            for (var first = 0; first < rows.Count; first += RowBlock)
            {
                var n = Math.Min(RowBlock, rows.Count - first);
                for (var i = 0; i < n; i++)
                {
                    Convert(rows.Rows[first + i], shift, columnStart, columnEnd, 1, addresses[i]);
                    Convert(rows.Rows[first + i], shift, rowStart, rowEnd, weights is null ? 1 : weights[first + i], factors + i * TileRows);
                }

                ColumnSumKernel<T>.Run(
                    factors, TileRows, addresses, n, rowEnd - rowStart, 0, columnEnd - columnStart,
                    result + (nint)rowStart * length + columnStart, length);
            }
        }
    }

    private static void Convert(float* row, double[]? shift, int start, int end, double weight, T* to)
    {
        var from = new ReadOnlySpan<float>(row + start, end - start);
        var result = new Span<T>(to, end - start);
        TensorPrimitives.ConvertTruncating(from, result);
        if (shift is not null)
        {
            for (var d = start; d < end; d++)
                result[d - start] = T.CreateTruncating(row[d] - shift[d]);
        }

        if (weight != 1)
            TensorPrimitives.Multiply(result, T.CreateTruncating(weight), result);
    }
}
