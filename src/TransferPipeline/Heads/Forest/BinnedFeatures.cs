using System.Runtime.Intrinsics.X86;

namespace TransferPipeline.Heads;

/// <summary>
/// Training values as bin numbers, one byte each, column after column (or, for extra trees, row after row). A column of at most 256
/// distinct values has a bin for each, so its
/// splits are exact; others are cut into 256 bins of about equal counts.
/// </summary>
internal sealed unsafe class BinnedFeatures
{
    public const int MaxBins = 256;

    /// <summary>Columns read together: the values of one cache line.</summary>
    private const int ColumnBlock = 16;

    // Three passes of 11 bits cover the 32 bits of a key; the 2,048 counts of a pass take 8 KB
    // of the first-level cache.
    private const int RadixBits = 11;

    private const int CacheLine = 64;

    private readonly byte[] _codes;
    private readonly float[] _lowest;
    private readonly float[] _highest;

    /// <param name="byRows">Whether the bins of a row lie beside each other instead of those of a column.</param>
    public BinnedFeatures(FeatureMatrix x, int[] rows, bool byRows, int threads, CancellationToken cancellation)
    {
        (Rows, Columns) = (rows.Length, x.Columns);
        (RowStride, ColumnStride) = byRows ? (Columns, 1) : (1, Rows);
        // Offsets into the table are ints: a larger set must fail here and not wrap around.
        _codes = GC.AllocateUninitializedArray<byte>(checked(Rows * Columns));
        _lowest = new float[Columns * MaxBins];
        _highest = new float[Columns * MaxBins];
        Blocks.For(Columns, ColumnBlock, threads, (_, start, end) => BinColumns(x, rows, start, end), cancellation);
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Distance between the bins of neighbouring rows in <see cref="Table"/>.</summary>
    public int RowStride { get; }

    public int ColumnStride { get; }

    /// <summary>All bins.</summary>
    public ReadOnlySpan<byte> Table => _codes;

    /// <summary>Bin of each training row, when they lie by columns.</summary>
    public ReadOnlySpan<byte> Codes(int column) => _codes.AsSpan(column * Rows, Rows);

    /// <summary>
    /// Prefetches the bins of a node's rows: they lie anywhere in a table larger than the second-level cache.
    /// </summary>
    public void Prefetch(int column, ReadOnlySpan<int> rows)
    {
        // A hint and nothing else: results are the same without it.
        if (!Sse.IsSupported)
            return;
        fixed (byte* codes = &_codes[column * Rows])
        {
            // Where most lines of the column hold a row of the node, one prefetch per line is fewer than one per row.
            if (rows.Length * CacheLine > Rows)
            {
                for (var at = 0; at < Rows; at += CacheLine)
                    Sse.Prefetch0(codes + at);
                return;
            }

            foreach (var row in rows)
                Sse.Prefetch0(codes + row);
        }
    }

    /// <summary>Smallest training value of a bin.</summary>
    public float Lowest(int column, int bin) => _lowest[column * MaxBins + bin];

    /// <summary>Largest training value of a bin.</summary>
    public float Highest(int column, int bin) => _highest[column * MaxBins + bin];

    /// <summary>
    /// A value t with highest(low) &lt;= t &lt; lowest(high), half way where float32 has such a value: x &lt;= t goes left.
    /// </summary>
    public float Threshold(int column, int low, int high)
    {
        var (below, above) = (Highest(column, low), Lowest(column, high));
        // In float64: the sum of two large float32 values is infinite.
        var middle = (float)(((double)below + above) / 2);
        // Rounding can reach the upper of two neighboring floats. It must stay on the right, so the
        // lower one is the threshold.
        return middle < above ? middle : below;
    }

    private void BinColumns(FeatureMatrix x, int[] rows, int start, int end)
    {
        var width = end - start;
        // The block's columns are transposed first: read one by one, each would touch a cache line per value.
        var values = new uint[width * rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            var row = x.Row(rows[i])[start..end];
            for (var j = 0; j < width; j++)
                values[j * rows.Length + i] = Key(row[j]);
        }

        var (sorted, spare) = (new ulong[rows.Length], new ulong[rows.Length]);
        for (var j = 0; j < width; j++)
        {
            for (var i = 0; i < rows.Length; i++)
                // Key above, row number below: one 64-bit number is moved, and the order of the rows comes with it.
                sorted[i] = (ulong)values[j * rows.Length + i] << 32 | (uint)i;
            RadixSort(ref sorted, ref spare);
            Cut(sorted, start + j);
        }
    }

    private void Cut(ulong[] sorted, int column)
    {
        var codes = _codes.AsSpan(column * ColumnStride);
        var distinct = 1;
        for (var i = 1; i < Rows; i++)
            distinct += (uint)(sorted[i] >> 32) != (uint)(sorted[i - 1] >> 32) ? 1 : 0;
        var (bin, at) = (0, 0);
        while (at < Rows)
        {
            // The bin ends behind the first run of equal values that fills its share of the rows.
            var first = at;
            // Bin b ends no earlier than (b + 1) / 256 of the rows, so 256 bins suffice whatever the runs.
            var share = distinct <= MaxBins ? at + 1 : ((long)(bin + 1) * Rows + MaxBins - 1) / MaxBins;
            do
            {
                var key = (uint)(sorted[at] >> 32);
                while (at < Rows && (uint)(sorted[at] >> 32) == key)
                    codes[(int)(uint)sorted[at++] * RowStride] = (byte)bin;
            } while (at < share && at < Rows);
            _lowest[column * MaxBins + bin] = Value((uint)(sorted[first] >> 32));
            _highest[column * MaxBins + bin] = Value((uint)(sorted[at - 1] >> 32));
            bin++;
        }
    }

    /// <summary>Sorts by the upper 32 bits, least significant digits first; stable.</summary>
    private static void RadixSort(ref ulong[] items, ref ulong[] spare)
    {
        var counts = stackalloc int[1 << RadixBits];
        for (var shift = 32; shift < 64; shift += RadixBits)
        {
            new Span<int>(counts, 1 << RadixBits).Clear();
            foreach (var item in items)
                counts[(item >> shift) & ((1 << RadixBits) - 1)]++;
            var sum = 0;
            for (var digit = 0; digit < 1 << RadixBits; digit++)
                (counts[digit], sum) = (sum, sum + counts[digit]);
            foreach (var item in items)
                spare[counts[(item >> shift) & ((1 << RadixBits) - 1)]++] = item;
            // The passes are odd in number, so the result ends in the other array: hence the references.
            (items, spare) = (spare, items);
        }
    }

    /// <summary>An unsigned number in the order of the floats; both zeros are one.</summary>
    private static uint Key(float value)
    {
        // Adding 0 turns -0 into 0.
        var bits = BitConverter.SingleToUInt32Bits(value + 0f);
        // As integers negative floats have the reverse order, so all their bits are inverted;
        // positive ones move above them.
        return (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
    }

    private static float Value(uint key) => BitConverter.UInt32BitsToSingle((key & 0x80000000) != 0 ? key & 0x7FFFFFFF : ~key);
}
