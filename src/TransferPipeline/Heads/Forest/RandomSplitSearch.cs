using System.Runtime.Intrinsics;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>
/// Random thresholds of extra trees for up to 64 columns of a node at once. The columns' bins are gathered to one vector per row; extremes
/// are then two operations per row, and rows go left in all columns together.
/// </summary>
internal sealed unsafe class RandomSplitSearch
{
    /// <summary>Columns scanned together: one register of bytes.</summary>
    public const int Width = 64;

    /// <summary>Rows of larger nodes are gathered twice instead of kept: 128 KB.</summary>
    private const int MostKeptRows = 2048;

    /// <summary>Counts are 16 bits wide between additions to the sums.</summary>
    private const int MostPending = 60_000;

    private readonly BinnedFeatures _bins;
    private readonly int _minSamplesLeaf;
    private readonly double[]? _classWeights;
    private readonly byte[] _gathered = new byte[MostKeptRows * Width];
    private readonly byte[] _lowest = new byte[Width];
    private readonly byte[] _highest = new byte[Width];
    private readonly byte[] _chosen = new byte[Width];
    private readonly int[] _leftRows = new int[Width];
    private readonly int[] _left;
    private readonly ushort[] _pending;
    private readonly int[] _present;

    /// <param name="classWeights">Null for equal weights.</param>
    public RandomSplitSearch(BinnedFeatures bins, int minSamplesLeaf, int classes, double[]? classWeights)
    {
        (_bins, _minSamplesLeaf, _classWeights) = (bins, minSamplesLeaf, classWeights);
        (_left, _pending, _present) = (new int[(classes + 1) * Width], new ushort[(classes + 1) * Width], new int[classes]);
    }

    /// <summary>Offers a random division of each column that varies in the node; returns how many do.</summary>
    /// <param name="columns">At most <see cref="Width"/>.</param>
    /// <param name="totals">Weight of each class in the node.</param>
    public int Offer(
        ReadOnlySpan<int> columns,
        ReadOnlySpan<int> rows,
        ReadOnlySpan<uint> samples,
        double[] totals,
        double weight,
        ref RandomStream random,
        ref Split best
    )
    {
        var kept = rows.Length <= MostKeptRows;
        Extremes(columns, rows);
        var varying = 0;
        for (var j = 0; j < columns.Length; j++)
        {
            varying += _lowest[j] < _highest[j] ? 1 : 0;
            // A constant column draws no number. With 255 all rows go left, and its sums are not read.
            _chosen[j] = _lowest[j] < _highest[j] ? Threshold(columns[j], _lowest[j], _highest[j], ref random) : byte.MaxValue;
        }

        if (varying == 0)
            return 0;
        var classes = 0;
        for (var c = 0; c < totals.Length; c++)
        {
            // Deep nodes have few classes: the sums of the others are neither cleared nor read.
            if (totals[c] > 0)
                _present[classes++] = c;
        }

        var present = _present.AsSpan(0, classes);
        foreach (var c in present)
            _left.AsSpan(c * Width, Width).Clear();
        _leftRows.AsSpan().Clear();
        for (var first = 0; first < rows.Length; first += MostKeptRows)
        {
            var count = Math.Min(MostKeptRows, rows.Length - first);
            // The bins of smaller nodes are still gathered from the search for the extremes.
            if (!kept)
                Gather(columns, rows.Slice(first, count));
            Count(samples.Slice(first, count), present);
        }

        for (var j = 0; j < columns.Length; j++)
        {
            if (_lowest[j] == _highest[j] || _leftRows[j] < _minSamplesLeaf || rows.Length - _leftRows[j] < _minSamplesLeaf)
                continue;
            double leftWeight = 0,
                leftSquares = 0,
                rightSquares = 0;
            foreach (var c in present)
            {
                var left = _classWeights is null ? _left[c * Width + j] : _left[c * Width + j] * _classWeights[c];
                var right = totals[c] - left;
                leftWeight += left;
                leftSquares += left * left;
                rightSquares += right * right;
            }

            // Any two neighboring bins can be parted here, whether or not the node has rows in the next one.
            best.Offer(
                SplitSearch.Score(leftSquares, leftWeight, rightSquares, weight - leftWeight),
                columns[j],
                _chosen[j],
                _chosen[j] + 1
            );
        }

        return varying;
    }

    /// <summary>Smallest and largest bin of each column in the node; leaves the last rows gathered.</summary>
    private void Extremes(ReadOnlySpan<int> columns, ReadOnlySpan<int> rows)
    {
        // Lanes behind the last column hold bins of earlier nodes; nothing reads their results.
        var (lowest, highest) = (Vector512<byte>.AllBitsSet, Vector512<byte>.Zero);
        for (var first = 0; first < rows.Length; first += MostKeptRows)
        {
            var count = Math.Min(MostKeptRows, rows.Length - first);
            Gather(columns, rows.Slice(first, count));
            fixed (byte* gathered = _gathered)
            {
                for (var i = 0; i < count; i++)
                {
                    var row = Vector512.Load(gathered + i * Width);
                    lowest = Vector512.Min(lowest, row);
                    highest = Vector512.Max(highest, row);
                }
            }
        }

        lowest.CopyTo(_lowest);
        highest.CopyTo(_highest);
    }

    private void Gather(ReadOnlySpan<int> columns, ReadOnlySpan<int> rows)
    {
        fixed (
            byte* codes = _bins.Table,
                gathered = _gathered
        )
        fixed (int* c = columns)
        {
            var to = gathered;
            foreach (var row in rows)
            {
                var from = codes + (nint)row * _bins.RowStride;
                var j = 0;
                for (; j + 4 <= columns.Length; j += 4)
                {
                    to[j] = from[(nint)c[j] * _bins.ColumnStride];
                    to[j + 1] = from[(nint)c[j + 1] * _bins.ColumnStride];
                    to[j + 2] = from[(nint)c[j + 2] * _bins.ColumnStride];
                    to[j + 3] = from[(nint)c[j + 3] * _bins.ColumnStride];
                }

                for (; j < columns.Length; j++)
                    to[j] = from[(nint)c[j] * _bins.ColumnStride];
                to += Width;
            }
        }
    }

    /// <summary>A bin's number, uniform between the node's extreme values, then moved down to the end of a bin.</summary>
    private byte Threshold(int column, int first, int last, ref RandomStream random)
    {
        var (low, high) = (_bins.Lowest(column, first), _bins.Highest(column, last));
        // In float64: the difference of two float32 values can be infinite.
        var threshold = low + random.Unit() * ((double)high - low);
        var bin = first;
        for (var (from, to) = (first + 1, last - 1); from <= to; )
        {
            var middle = (from + to) / 2;
            if (_bins.Highest(column, middle) <= threshold)
                (bin, from) = (middle, middle + 1);
            else
                to = middle - 1;
        }

        return (byte)bin;
    }

    /// <summary>Adds the gathered rows to the left sides that they fall on: by class, and (the table's last line) all together.</summary>
    private void Count(ReadOnlySpan<uint> samples, ReadOnlySpan<int> present)
    {
        var all = _left.Length - Width;
        fixed (byte* gathered = _gathered)
        fixed (ushort* pending = _pending)
        {
            var chosen = Vector512.Create(_chosen.AsSpan());
            var waiting = 0;
            // A call has at most 2,048 rows, so 16 bits count them without a flush.
            var (rowsLow, rowsHigh) = (Vector512<ushort>.Zero, Vector512<ushort>.Zero);
            for (var i = 0; i < samples.Length; i++)
            {
                var (c, count) = (Sample.Class(samples[i]), Sample.Count(samples[i]));
                waiting += count;
                if (waiting > MostPending)
                {
                    Flush(present);
                    waiting = count;
                }

                // The comparison gives -1 or 0 per byte. Widened with its sign it is a mask of 16 bits,
                // and subtracting it counts.
                var left = Vector512.LessThanOrEqual(Vector512.Load(gathered + i * Width), chosen).AsSByte();
                var (low, high) = (Vector512.WidenLower(left).AsUInt16(), Vector512.WidenUpper(left).AsUInt16());
                var times = Vector512.Create((ushort)count);
                var to = pending + (nint)c * Width;
                (Vector512.Load(to) + (low & times)).Store(to);
                (Vector512.Load(to + 32) + (high & times)).Store(to + 32);
                rowsLow -= low;
                rowsHigh -= high;
            }

            var rows = pending + all;
            rowsLow.Store(rows);
            rowsHigh.Store(rows + 32);
            for (var j = 0; j < Width; j++)
                _leftRows[j] += rows[j];
        }

        Flush(present);
    }

    private void Flush(ReadOnlySpan<int> present)
    {
        foreach (var c in present)
        {
            for (var j = 0; j < Width; j++)
                _left[c * Width + j] += _pending[c * Width + j];
            _pending.AsSpan(c * Width, Width).Clear();
        }
    }
}
