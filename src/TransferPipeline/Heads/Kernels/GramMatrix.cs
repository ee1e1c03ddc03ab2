namespace TransferPipeline.Heads.Kernels;

/// <summary>Sums of products of columns in float64: C = sum over rows of (x - shift)(x - shift) transposed, on all cores.</summary>
internal static unsafe class GramMatrix
{
    /// <summary>A task's piece of the result and the converted rows under it (450 KB) stay in the second-level cache.</summary>
    private const int TileRows = 80;

    private const int TileColumns = 256;
    private const int RowBlock = 64;

    /// <summary>Eight values of padding, so that the rows of a block do not share cache sets.</summary>
    private const int PackedStride = TileColumns + 8;

    /// <param name="rows">Addresses of <paramref name="count"/> rows of <paramref name="length"/> values.</param>
    /// <param name="shift">Subtracted from each row; null for none.</param>
    /// <param name="weights">Factor of each row; null for 1.</param>
    /// <param name="gram">length x length, symmetric; added to.</param>
    public static void Add(float** rows, int count, int length, double[]? shift, float[]? weights, double[] gram, int threads, CancellationToken cancellation = default)
    {
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
            Tile(rows, count, shift, weights, r, Math.Min(length, r + TileRows), c, Math.Min(length, c + TileColumns), gram, length);
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
        float** rows, int count, double[]? shift, float[]? weights, int rowStart, int rowEnd, int columnStart, int columnEnd, double[] gram, int length)
    {
        var buffer = new double[RowBlock * (PackedStride + TileRows)];
        var addresses = stackalloc double*[RowBlock];
        fixed (double* packed = buffer, result = gram)
        {
            var factors = packed + RowBlock * PackedStride;
            for (var i = 0; i < RowBlock; i++)
                addresses[i] = packed + i * PackedStride;
            for (var first = 0; first < count; first += RowBlock)
            {
                var n = Math.Min(RowBlock, count - first);
                for (var i = 0; i < n; i++)
                {
                    var weight = weights is null ? 1.0 : weights[first + i];
                    Convert(rows[first + i], shift, columnStart, columnEnd, 1, addresses[i]);
                    Convert(rows[first + i], shift, rowStart, rowEnd, weight, factors + i * TileRows);
                }

                ColumnSumKernel<double>.Run(
                    factors, TileRows, addresses, n, rowEnd - rowStart, 0, columnEnd - columnStart,
                    result + (nint)rowStart * length + columnStart, length);
            }
        }
    }

    private static void Convert(float* row, double[]? shift, int start, int end, double weight, double* to)
    {
        if (shift is null)
        {
            for (var d = start; d < end; d++)
                to[d - start] = weight * row[d];
        }
        else
        {
            for (var d = start; d < end; d++)
                to[d - start] = weight * (row[d] - shift[d]);
        }
    }
}
