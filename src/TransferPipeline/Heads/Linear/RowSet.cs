using System.Runtime.InteropServices;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// The rows that a linear head trains on, as addresses: rows of the caller's matrix when they need no scaling, else of a scaled copy.
/// </summary>
/// <remarks>
/// Addresses and values lie in memory that lasts as long as the object is reachable. Kernels hold addresses only, so whoever makes a set
/// has it in a <c>using</c>, which keeps it reachable to the end of its scope.
/// </remarks>
internal sealed unsafe class RowSet : IDisposable
{
    private readonly object _owner;
    private readonly nint[] _addresses;

    private RowSet(object owner, int count, int length, int[] labels)
    {
        (_owner, Count, Length, Labels) = (owner, count, length, labels);
        // Pinned itself, since kernels take the address of the addresses.
        _addresses = GC.AllocateUninitializedArray<nint>(Math.Max(1, count), pinned: true);
        Rows = (float**)Marshal.UnsafeAddrOfPinnedArrayElement(_addresses, 0);
    }

    public int Count { get; }

    /// <summary>Values of a row.</summary>
    public int Length { get; }

    public float** Rows { get; }

    /// <summary>Class of each row.</summary>
    public int[] Labels { get; }

    /// <summary>Rows of a matrix, without a copy.</summary>
    public static RowSet View(FeatureMatrix x, ReadOnlySpan<int> rows, ReadOnlySpan<int> y)
    {
        // A matrix around an array of its maker's: the garbage collector would move the values under the addresses.
        var values = new PinnedValues(x.Data);
        var set = new RowSet(values, rows.Length, x.Columns, Select(rows, y));
        var start = values.Start;
        for (var i = 0; i < rows.Length; i++)
            set.Rows[i] = start + (nint)rows[i] * x.Columns;
        return set;
    }

    /// <summary>A scaled copy.</summary>
    public static RowSet Copy(FeatureMatrix x, int[] rows, ReadOnlySpan<int> y, FeatureScaling scaling, int threads)
    {
        // Rows start on cache lines, as the buffer does: registers of 16 values then never cross two.
        var stride = (x.Columns + 15) & -16;
        var buffer = new FloatBuffer((long)rows.Length * stride);
        var set = new RowSet(buffer, rows.Length, x.Columns, Select(rows, y));
        for (var i = 0; i < rows.Length; i++)
            set.Rows[i] = buffer.Pointer + (nint)i * stride;
        Blocks.For(
            rows.Length,
            256,
            threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                    scaling.Apply(x.Row(rows[i]), new Span<float>(set.Rows[i], x.Columns));
            }
        );
        return set;
    }

    /// <summary>Rows of a lower triangular n x n matrix.</summary>
    public static RowSet LowerTriangle(double[] matrix, int n, int[] labels)
    {
        var stride = (n + 15) & -16;
        var buffer = new FloatBuffer((long)n * stride);
        var set = new RowSet(buffer, n, n, labels);
        for (var i = 0; i < n; i++)
        {
            set.Rows[i] = buffer.Pointer + (nint)i * stride;
            // The buffer is zeroed, so the upper triangle is there.
            for (var j = 0; j <= i; j++)
                set.Rows[i][j] = (float)matrix[(long)i * n + j];
        }

        return set;
    }

    /// <summary>The rows of one class, without a copy.</summary>
    public RowSet OfClass(int k)
    {
        var chosen = Enumerable.Range(0, Count).Where(i => Labels[i] == k).ToArray();
        // The set that owns the memory stays reachable through this one.
        var set = new RowSet(this, chosen.Length, Length, Array.ConvertAll(chosen, i => k));
        for (var i = 0; i < chosen.Length; i++)
            set.Rows[i] = Rows[chosen[i]];
        return set;
    }

    /// <summary>The columns of a set as rows, without labels.</summary>
    public static RowSet Transpose(RowSet rows, int threads)
    {
        var buffer = new FloatBuffer((long)rows.Count * rows.Length);
        var set = new RowSet(buffer, rows.Length, rows.Count, []);
        Blocks.For(
            rows.Length,
            64,
            threads,
            (_, start, end) =>
            {
                for (var d = start; d < end; d++)
                {
                    var column = set.Rows[d] = buffer.Pointer + (nint)d * rows.Count;
                    for (var i = 0; i < rows.Count; i++)
                        column[i] = rows.Rows[i][d];
                }
            }
        );
        return set;
    }

    /// <summary>Ends the use of the addresses by the caller; sets that others share go on.</summary>
    public void Dispose()
    {
        GC.KeepAlive(_owner);
        GC.KeepAlive(_addresses);
    }

    private static int[] Select(ReadOnlySpan<int> rows, ReadOnlySpan<int> y)
    {
        var labels = new int[rows.Length];
        for (var i = 0; i < rows.Length; i++)
            labels[i] = y[rows[i]];
        return labels;
    }

    /// <summary>Keeps an array in its place for as long as the object is reachable.</summary>
    // No IDisposable: sets of one class and reductions share the owner of the set that they were made from.
    private sealed class PinnedValues
    {
        private GCHandle _handle;

        public PinnedValues(float[] values) => _handle = GCHandle.Alloc(values, GCHandleType.Pinned);

        ~PinnedValues() => _handle.Free();

        public float* Start => (float*)_handle.AddrOfPinnedObject();
    }
}
