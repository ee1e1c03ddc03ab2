using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TransferPipeline.Heads.Numerics;

/// <summary>
/// Tiles of dot products between rows: z[i, k] = sum over d of x_i[d] * w_k[d]. Both operands are read along their rows, so nothing is
/// packed; a tile of 4 rows x 5 classes stays in registers (20 sums, 9 loads for 20 multiply-adds), and 10, 120 or 1,000 classes leave no
/// remainder. Rows of x come as addresses, so that a subset needs no copy.
/// </summary>
internal static unsafe class RowDotKernel<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>Longest piece of a row done at once: five pieces of w (40 KB of float32) then stay in the first-level cache.</summary>
    private const int PieceLength = 2048;

    private const int TileRows = 4;
    private const int TileClasses = 5;

    /// <param name="x">n row addresses, each of <paramref name="length"/> values.</param>
    /// <param name="w">classes rows, <paramref name="wStride"/> values apart.</param>
    /// <param name="z">n x classes results, rows <paramref name="zStride"/> apart; overwritten.</param>
    public static void Run(T** x, int n, T* w, nint wStride, int classes, int length, T* z, nint zStride)
    {
        if (length == 0)
        {
            for (var i = 0; i < n; i++)
                new Span<T>(z + i * zStride, classes).Clear();
            return;
        }

        // A product is summed in the same order in every tile and at every place of it. So z[i, k] depends on the two rows alone and not on
        // the rows and classes around them: the products of a subset, or of any block of rows, have the same bits.
        for (var start = 0; start < length; start += PieceLength)
            Piece(x, n, w, wStride, classes, start, Math.Min(PieceLength, length - start), z, zStride);
    }

    private static void Piece(T** x, int n, T* w, nint wStride, int classes, int start, int length, T* z, nint zStride)
    {
        var results = stackalloc T[TileRows * TileClasses];
        var rows = stackalloc T*[TileRows];
        var weights = stackalloc T*[TileClasses];
        for (var k0 = 0; k0 < classes; )
        {
            // Two remaining classes have a tile of their own; otherwise the last class is repeated to fill the tile.
            var width = classes - k0 is 1 or 2 or 6 or 7 ? 2 : TileClasses;
            var used = Math.Min(width, classes - k0);
            for (var k = 0; k < TileClasses; k++)
                // Repeated addresses keep the tile free of branches; the copy below leaves their results out.
                weights[k] = w + Math.Min(k0 + Math.Min(k, used - 1), classes - 1) * wStride + start;
            for (var i0 = 0; i0 < n; i0 += TileRows)
            {
                var height = Math.Min(TileRows, n - i0);
                for (var i = 0; i < TileRows; i++)
                    rows[i] = x[i0 + Math.Min(i, height - 1)] + start;
                if (Vector512.IsHardwareAccelerated)
                {
                    if (width == 2)
                        Tile512x2(rows, weights, length, results);
                    else
                        Tile512x5(rows, weights, length, results);
                }
                else
                {
                    // Half a tile at a time: ten sums and the operands fit 16 registers.
                    TileVector(rows, weights, length, results, width);
                    TileVector(rows + 2, weights, length, results + 2 * TileClasses, width);
                }

                for (var i = 0; i < height; i++)
                {
                    var to = z + (i0 + i) * zStride + k0;
                    var from = results + i * TileClasses;
                    if (start == 0)
                    {
                        for (var k = 0; k < used; k++)
                            to[k] = from[k];
                    }
                    else
                    {
                        for (var k = 0; k < used; k++)
                            to[k] += from[k];
                    }
                }
            }

            k0 += used;
        }
    }

    private static void Tile512x5(T** rows, T** weights, int length, T* results)
    {
        T* x0 = rows[0],
            x1 = rows[1],
            x2 = rows[2],
            x3 = rows[3];
        T* w0 = weights[0],
            w1 = weights[1],
            w2 = weights[2],
            w3 = weights[3],
            w4 = weights[4];
        Vector512<T> s00 = default,
            s01 = default,
            s02 = default,
            s03 = default,
            s04 = default;
        Vector512<T> s10 = default,
            s11 = default,
            s12 = default,
            s13 = default,
            s14 = default;
        Vector512<T> s20 = default,
            s21 = default,
            s22 = default,
            s23 = default,
            s24 = default;
        Vector512<T> s30 = default,
            s31 = default,
            s32 = default,
            s33 = default,
            s34 = default;
        var whole = length & -Vector512<T>.Count;
        for (var d = 0; d < whole; d += Vector512<T>.Count)
        {
            var a = Vector512.Load(x0 + d);
            var b = Vector512.Load(x1 + d);
            var c = Vector512.Load(x2 + d);
            var e = Vector512.Load(x3 + d);
            var w = Vector512.Load(w0 + d);
            s00 = Wide.MultiplyAdd(a, w, s00);
            s10 = Wide.MultiplyAdd(b, w, s10);
            s20 = Wide.MultiplyAdd(c, w, s20);
            s30 = Wide.MultiplyAdd(e, w, s30);
            w = Vector512.Load(w1 + d);
            s01 = Wide.MultiplyAdd(a, w, s01);
            s11 = Wide.MultiplyAdd(b, w, s11);
            s21 = Wide.MultiplyAdd(c, w, s21);
            s31 = Wide.MultiplyAdd(e, w, s31);
            w = Vector512.Load(w2 + d);
            s02 = Wide.MultiplyAdd(a, w, s02);
            s12 = Wide.MultiplyAdd(b, w, s12);
            s22 = Wide.MultiplyAdd(c, w, s22);
            s32 = Wide.MultiplyAdd(e, w, s32);
            w = Vector512.Load(w3 + d);
            s03 = Wide.MultiplyAdd(a, w, s03);
            s13 = Wide.MultiplyAdd(b, w, s13);
            s23 = Wide.MultiplyAdd(c, w, s23);
            s33 = Wide.MultiplyAdd(e, w, s33);
            w = Vector512.Load(w4 + d);
            s04 = Wide.MultiplyAdd(a, w, s04);
            s14 = Wide.MultiplyAdd(b, w, s14);
            s24 = Wide.MultiplyAdd(c, w, s24);
            s34 = Wide.MultiplyAdd(e, w, s34);
        }

        Store(results, s00, s01, s02, s03, s04);
        Store(results + 5, s10, s11, s12, s13, s14);
        Store(results + 10, s20, s21, s22, s23, s24);
        Store(results + 15, s30, s31, s32, s33, s34);
        AddRemainder(rows, weights, whole, length, results, TileRows, TileClasses);
    }

    private static void Tile512x2(T** rows, T** weights, int length, T* results)
    {
        T* x0 = rows[0],
            x1 = rows[1],
            x2 = rows[2],
            x3 = rows[3];
        T* w0 = weights[0],
            w1 = weights[1];
        Vector512<T> s00 = default,
            s01 = default,
            s10 = default,
            s11 = default;
        Vector512<T> s20 = default,
            s21 = default,
            s30 = default,
            s31 = default;
        var whole = length & -Vector512<T>.Count;
        for (var d = 0; d < whole; d += Vector512<T>.Count)
        {
            var w = Vector512.Load(w0 + d);
            var v = Vector512.Load(w1 + d);
            var a = Vector512.Load(x0 + d);
            s00 = Wide.MultiplyAdd(a, w, s00);
            s01 = Wide.MultiplyAdd(a, v, s01);
            a = Vector512.Load(x1 + d);
            s10 = Wide.MultiplyAdd(a, w, s10);
            s11 = Wide.MultiplyAdd(a, v, s11);
            a = Vector512.Load(x2 + d);
            s20 = Wide.MultiplyAdd(a, w, s20);
            s21 = Wide.MultiplyAdd(a, v, s21);
            a = Vector512.Load(x3 + d);
            s30 = Wide.MultiplyAdd(a, w, s30);
            s31 = Wide.MultiplyAdd(a, v, s31);
        }

        (results[0], results[1]) = (Vector512.Sum(s00), Vector512.Sum(s01));
        (results[5], results[6]) = (Vector512.Sum(s10), Vector512.Sum(s11));
        (results[10], results[11]) = (Vector512.Sum(s20), Vector512.Sum(s21));
        (results[15], results[16]) = (Vector512.Sum(s30), Vector512.Sum(s31));
        AddRemainder(rows, weights, whole, length, results, TileRows, 2);
    }

    /// <summary>Two rows x five (or two) classes: fits the 16 registers of AVX2 and SSE; without SIMD it is plain code.</summary>
    private static void TileVector(T** rows, T** weights, int length, T* results, int width)
    {
        T* x0 = rows[0],
            x1 = rows[1];
        T* w0 = weights[0],
            w1 = weights[1],
            w2 = weights[2],
            w3 = weights[3],
            w4 = weights[4];
        Vector<T> s00 = default,
            s01 = default,
            s02 = default,
            s03 = default,
            s04 = default;
        Vector<T> s10 = default,
            s11 = default,
            s12 = default,
            s13 = default,
            s14 = default;
        var whole = length - length % Vector<T>.Count;
        if (width == 2)
        {
            for (var d = 0; d < whole; d += Vector<T>.Count)
            {
                var a = Vector.Load(x0 + d);
                var b = Vector.Load(x1 + d);
                var w = Vector.Load(w0 + d);
                s00 = Wide.MultiplyAdd(a, w, s00);
                s10 = Wide.MultiplyAdd(b, w, s10);
                w = Vector.Load(w1 + d);
                s01 = Wide.MultiplyAdd(a, w, s01);
                s11 = Wide.MultiplyAdd(b, w, s11);
            }
        }
        else
        {
            for (var d = 0; d < whole; d += Vector<T>.Count)
            {
                var a = Vector.Load(x0 + d);
                var b = Vector.Load(x1 + d);
                var w = Vector.Load(w0 + d);
                s00 = Wide.MultiplyAdd(a, w, s00);
                s10 = Wide.MultiplyAdd(b, w, s10);
                w = Vector.Load(w1 + d);
                s01 = Wide.MultiplyAdd(a, w, s01);
                s11 = Wide.MultiplyAdd(b, w, s11);
                w = Vector.Load(w2 + d);
                s02 = Wide.MultiplyAdd(a, w, s02);
                s12 = Wide.MultiplyAdd(b, w, s12);
                w = Vector.Load(w3 + d);
                s03 = Wide.MultiplyAdd(a, w, s03);
                s13 = Wide.MultiplyAdd(b, w, s13);
                w = Vector.Load(w4 + d);
                s04 = Wide.MultiplyAdd(a, w, s04);
                s14 = Wide.MultiplyAdd(b, w, s14);
            }
        }

        (results[0], results[1], results[2]) = (Vector.Sum(s00), Vector.Sum(s01), Vector.Sum(s02));
        (results[3], results[4]) = (Vector.Sum(s03), Vector.Sum(s04));
        (results[5], results[6], results[7]) = (Vector.Sum(s10), Vector.Sum(s11), Vector.Sum(s12));
        (results[8], results[9]) = (Vector.Sum(s13), Vector.Sum(s14));
        AddRemainder(rows, weights, whole, length, results, 2, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(T* to, Vector512<T> a, Vector512<T> b, Vector512<T> c, Vector512<T> d, Vector512<T> e)
    {
        to[0] = Vector512.Sum(a);
        to[1] = Vector512.Sum(b);
        to[2] = Vector512.Sum(c);
        to[3] = Vector512.Sum(d);
        to[4] = Vector512.Sum(e);
    }

    private static void AddRemainder(T** rows, T** weights, int from, int length, T* results, int height, int width)
    {
        // Lengths that are a multiple of a register leave nothing here; pieces of a triangle seldom are.
        for (var d = from; d < length; d++)
        {
            for (var i = 0; i < height; i++)
            {
                for (var k = 0; k < width; k++)
                    results[i * TileClasses + k] += rows[i][d] * weights[k][d];
            }
        }
    }
}
