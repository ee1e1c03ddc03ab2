using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TransferPipeline.Heads.Numerics;

/// <summary>
/// Sums of outer products: g[k, d] += sum over rows i of p[i, k] * x_i[d]: the gradient of a linear head from the residuals of a block of
/// rows. A tile of 5 classes x 4 registers stays in registers while the rows of the block, still in the second-level cache from
/// <see cref="RowDotKernel{T}"/>, pass by once for all classes of the tile.
/// </summary>
internal static unsafe class ColumnSumKernel<T>
    where T : unmanaged, INumber<T>
{
    // 5 classes x 4 registers are 20 sums; with 4 values of x and one factor, 25 of the 32 registers of AVX-512.
    private const int TileClasses = 5;
    private static int TileColumns => 4 * Vector512<T>.Count;

    /// <param name="p">n x classes factors, rows <paramref name="pStride"/> apart.</param>
    /// <param name="x">n row addresses of x.</param>
    /// <param name="g">classes rows of sums, <paramref name="gStride"/> apart; column c of g belongs to value c of a row.</param>
    public static void Run(T* p, nint pStride, T** x, int n, int classes, int columnStart, int columnEnd, T* g, nint gStride)
    {
        // Every sum runs over the rows in order, but the loops below differ in what they fuse. So the last bits of a column depend on
        // columnStart and columnEnd: callers divide columns by a constant and never by the number of threads.
        var column = columnStart;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; column + TileColumns <= columnEnd; column += TileColumns)
            {
                for (var k = 0; k < classes; k += TileClasses)
                {
                    // One or two remaining classes have a tile of their own; three or four repeat the last one without storing it.
                    if (classes - k <= 2)
                        Tile512x2(p + k, pStride, x, n, Math.Min(2, classes - k), column, g + k * gStride + column, gStride);
                    else
                        Tile512x5(p + k, pStride, x, n, Math.Min(TileClasses, classes - k), column, g + k * gStride + column, gStride);
                }
            }
        }

        var step = 2 * Vector<T>.Count;
        for (; column + step <= columnEnd; column += step)
        {
            for (var k = 0; k < classes; k += 4)
                TileVector(p + k, pStride, x, n, Math.Min(4, classes - k), column, g + k * gStride + column, gStride);
        }

        for (; column < columnEnd; column++)
        {
            for (var k = 0; k < classes; k++)
            {
                var sum = T.Zero;
                for (var i = 0; i < n; i++)
                    sum += p[i * pStride + k] * x[i][column];
                g[k * gStride + column] += sum;
            }
        }
    }

    private static void Tile512x5(T* p, nint pStride, T** x, int n, int used, int column, T* g, nint gStride)
    {
        Vector512<T> s00 = default,
            s01 = default,
            s02 = default,
            s03 = default;
        Vector512<T> s10 = default,
            s11 = default,
            s12 = default,
            s13 = default;
        Vector512<T> s20 = default,
            s21 = default,
            s22 = default,
            s23 = default;
        Vector512<T> s30 = default,
            s31 = default,
            s32 = default,
            s33 = default;
        Vector512<T> s40 = default,
            s41 = default,
            s42 = default,
            s43 = default;
        // A tile has at least three classes here; a missing fourth or fifth one reads the last factor again, inside the row of p.
        nint k3 = Math.Min(3, used - 1),
            k4 = Math.Min(4, used - 1);
        for (var i = 0; i < n; i++)
        {
            var row = x[i] + column;
            var a = Vector512.Load(row);
            var b = Vector512.Load(row + Vector512<T>.Count);
            var c = Vector512.Load(row + 2 * Vector512<T>.Count);
            var d = Vector512.Load(row + 3 * Vector512<T>.Count);
            var f = Vector512.Create(p[0]);
            s00 = Wide.MultiplyAdd(a, f, s00);
            s01 = Wide.MultiplyAdd(b, f, s01);
            s02 = Wide.MultiplyAdd(c, f, s02);
            s03 = Wide.MultiplyAdd(d, f, s03);
            f = Vector512.Create(p[1]);
            s10 = Wide.MultiplyAdd(a, f, s10);
            s11 = Wide.MultiplyAdd(b, f, s11);
            s12 = Wide.MultiplyAdd(c, f, s12);
            s13 = Wide.MultiplyAdd(d, f, s13);
            f = Vector512.Create(p[2]);
            s20 = Wide.MultiplyAdd(a, f, s20);
            s21 = Wide.MultiplyAdd(b, f, s21);
            s22 = Wide.MultiplyAdd(c, f, s22);
            s23 = Wide.MultiplyAdd(d, f, s23);
            f = Vector512.Create(p[k3]);
            s30 = Wide.MultiplyAdd(a, f, s30);
            s31 = Wide.MultiplyAdd(b, f, s31);
            s32 = Wide.MultiplyAdd(c, f, s32);
            s33 = Wide.MultiplyAdd(d, f, s33);
            f = Vector512.Create(p[k4]);
            s40 = Wide.MultiplyAdd(a, f, s40);
            s41 = Wide.MultiplyAdd(b, f, s41);
            s42 = Wide.MultiplyAdd(c, f, s42);
            s43 = Wide.MultiplyAdd(d, f, s43);
            p += pStride;
        }

        Add(g, s00, s01, s02, s03);
        Add(g + gStride, s10, s11, s12, s13);
        Add(g + 2 * gStride, s20, s21, s22, s23);
        if (used > 3)
            Add(g + 3 * gStride, s30, s31, s32, s33);
        if (used > 4)
            Add(g + 4 * gStride, s40, s41, s42, s43);
    }

    private static void Tile512x2(T* p, nint pStride, T** x, int n, int used, int column, T* g, nint gStride)
    {
        Vector512<T> s00 = default,
            s01 = default,
            s02 = default,
            s03 = default;
        Vector512<T> s10 = default,
            s11 = default,
            s12 = default,
            s13 = default;
        nint k1 = used - 1;
        for (var i = 0; i < n; i++)
        {
            var row = x[i] + column;
            var f = Vector512.Create(p[0]);
            var h = Vector512.Create(p[k1]);
            var a = Vector512.Load(row);
            s00 = Wide.MultiplyAdd(a, f, s00);
            s10 = Wide.MultiplyAdd(a, h, s10);
            a = Vector512.Load(row + Vector512<T>.Count);
            s01 = Wide.MultiplyAdd(a, f, s01);
            s11 = Wide.MultiplyAdd(a, h, s11);
            a = Vector512.Load(row + 2 * Vector512<T>.Count);
            s02 = Wide.MultiplyAdd(a, f, s02);
            s12 = Wide.MultiplyAdd(a, h, s12);
            a = Vector512.Load(row + 3 * Vector512<T>.Count);
            s03 = Wide.MultiplyAdd(a, f, s03);
            s13 = Wide.MultiplyAdd(a, h, s13);
            p += pStride;
        }

        Add(g, s00, s01, s02, s03);
        if (used > 1)
            Add(g + gStride, s10, s11, s12, s13);
    }

    /// <summary>Four classes x two registers: fits the 16 registers of AVX2 and SSE; without SIMD it is plain code.</summary>
    private static void TileVector(T* p, nint pStride, T** x, int n, int used, int column, T* g, nint gStride)
    {
        Vector<T> s00 = default,
            s01 = default,
            s10 = default,
            s11 = default;
        Vector<T> s20 = default,
            s21 = default,
            s30 = default,
            s31 = default;
        nint k1 = Math.Min(1, used - 1),
            k2 = Math.Min(2, used - 1),
            k3 = used - 1;
        for (var i = 0; i < n; i++)
        {
            var row = x[i] + column;
            var a = Vector.Load(row);
            var b = Vector.Load(row + Vector<T>.Count);
            var f = new Vector<T>(p[0]);
            s00 = Wide.MultiplyAdd(a, f, s00);
            s01 = Wide.MultiplyAdd(b, f, s01);
            f = new Vector<T>(p[k1]);
            s10 = Wide.MultiplyAdd(a, f, s10);
            s11 = Wide.MultiplyAdd(b, f, s11);
            f = new Vector<T>(p[k2]);
            s20 = Wide.MultiplyAdd(a, f, s20);
            s21 = Wide.MultiplyAdd(b, f, s21);
            f = new Vector<T>(p[k3]);
            s30 = Wide.MultiplyAdd(a, f, s30);
            s31 = Wide.MultiplyAdd(b, f, s31);
            p += pStride;
        }

        Add(g, s00, s01);
        if (used > 1)
            Add(g + gStride, s10, s11);
        if (used > 2)
            Add(g + 2 * gStride, s20, s21);
        if (used > 3)
            Add(g + 3 * gStride, s30, s31);
    }

    // A call in its place would have the compiler keep the sums in memory through the whole loop before it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(T* g, Vector<T> a, Vector<T> b)
    {
        (Vector.Load(g) + a).Store(g);
        (Vector.Load(g + Vector<T>.Count) + b).Store(g + Vector<T>.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(T* g, Vector512<T> a, Vector512<T> b, Vector512<T> c, Vector512<T> d)
    {
        (Vector512.Load(g) + a).Store(g);
        (Vector512.Load(g + Vector512<T>.Count) + b).Store(g + Vector512<T>.Count);
        (Vector512.Load(g + 2 * Vector512<T>.Count) + c).Store(g + 2 * Vector512<T>.Count);
        (Vector512.Load(g + 3 * Vector512<T>.Count) + d).Store(g + 3 * Vector512<T>.Count);
    }
}
