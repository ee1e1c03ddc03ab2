using System.Numerics;
using System.Runtime.Intrinsics;

namespace TransferPipeline.Heads.Kernels;

/// <summary>
/// Sums of outer products: g[k, d] += sum over rows i of p[i, k] * x_i[d]: the gradient of a linear head from the residuals of a block of
/// rows. A tile of 5 classes x 64 columns stays in registers while the rows of the block, still in the second-level cache from
/// <see cref="RowDotKernel"/>, pass by once for all classes of the tile.
/// </summary>
internal static unsafe class ColumnSumKernel
{
    private const int TileClasses = 5;
    private const int TileColumns = 64;

    /// <param name="p">n x classes factors, rows <paramref name="pStride"/> apart.</param>
    /// <param name="x">n row addresses of x.</param>
    /// <param name="g">classes rows of sums, <paramref name="gStride"/> apart; column c of g belongs to value c of a row.</param>
    public static void Run(float* p, nint pStride, float** x, int n, int classes, int columnStart, int columnEnd, float* g, nint gStride)
    {
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

        var step = 2 * Vector<float>.Count;
        for (; column + step <= columnEnd; column += step)
        {
            for (var k = 0; k < classes; k += 4)
                TileVector(p + k, pStride, x, n, Math.Min(4, classes - k), column, g + k * gStride + column, gStride);
        }

        for (; column < columnEnd; column++)
        {
            for (var k = 0; k < classes; k++)
            {
                var sum = 0f;
                for (var i = 0; i < n; i++)
                    sum += p[i * pStride + k] * x[i][column];
                g[k * gStride + column] += sum;
            }
        }
    }

    private static void Tile512x5(float* p, nint pStride, float** x, int n, int used, int column, float* g, nint gStride)
    {
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default;
        Vector512<float> s40 = default, s41 = default, s42 = default, s43 = default;
        nint k3 = Math.Min(3, used - 1), k4 = Math.Min(4, used - 1);
        for (var i = 0; i < n; i++)
        {
            var row = x[i] + column;
            var a = Vector512.Load(row);
            var b = Vector512.Load(row + 16);
            var c = Vector512.Load(row + 32);
            var d = Vector512.Load(row + 48);
            var f = Vector512.Create(p[0]);
            s00 = Vector512.FusedMultiplyAdd(a, f, s00);
            s01 = Vector512.FusedMultiplyAdd(b, f, s01);
            s02 = Vector512.FusedMultiplyAdd(c, f, s02);
            s03 = Vector512.FusedMultiplyAdd(d, f, s03);
            f = Vector512.Create(p[1]);
            s10 = Vector512.FusedMultiplyAdd(a, f, s10);
            s11 = Vector512.FusedMultiplyAdd(b, f, s11);
            s12 = Vector512.FusedMultiplyAdd(c, f, s12);
            s13 = Vector512.FusedMultiplyAdd(d, f, s13);
            f = Vector512.Create(p[2]);
            s20 = Vector512.FusedMultiplyAdd(a, f, s20);
            s21 = Vector512.FusedMultiplyAdd(b, f, s21);
            s22 = Vector512.FusedMultiplyAdd(c, f, s22);
            s23 = Vector512.FusedMultiplyAdd(d, f, s23);
            f = Vector512.Create(p[k3]);
            s30 = Vector512.FusedMultiplyAdd(a, f, s30);
            s31 = Vector512.FusedMultiplyAdd(b, f, s31);
            s32 = Vector512.FusedMultiplyAdd(c, f, s32);
            s33 = Vector512.FusedMultiplyAdd(d, f, s33);
            f = Vector512.Create(p[k4]);
            s40 = Vector512.FusedMultiplyAdd(a, f, s40);
            s41 = Vector512.FusedMultiplyAdd(b, f, s41);
            s42 = Vector512.FusedMultiplyAdd(c, f, s42);
            s43 = Vector512.FusedMultiplyAdd(d, f, s43);
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

    private static void Tile512x2(float* p, nint pStride, float** x, int n, int used, int column, float* g, nint gStride)
    {
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        nint k1 = used - 1;
        for (var i = 0; i < n; i++)
        {
            var row = x[i] + column;
            var f = Vector512.Create(p[0]);
            var h = Vector512.Create(p[k1]);
            var a = Vector512.Load(row);
            s00 = Vector512.FusedMultiplyAdd(a, f, s00);
            s10 = Vector512.FusedMultiplyAdd(a, h, s10);
            a = Vector512.Load(row + 16);
            s01 = Vector512.FusedMultiplyAdd(a, f, s01);
            s11 = Vector512.FusedMultiplyAdd(a, h, s11);
            a = Vector512.Load(row + 32);
            s02 = Vector512.FusedMultiplyAdd(a, f, s02);
            s12 = Vector512.FusedMultiplyAdd(a, h, s12);
            a = Vector512.Load(row + 48);
            s03 = Vector512.FusedMultiplyAdd(a, f, s03);
            s13 = Vector512.FusedMultiplyAdd(a, h, s13);
            p += pStride;
        }

        Add(g, s00, s01, s02, s03);
        if (used > 1)
            Add(g + gStride, s10, s11, s12, s13);
    }

    /// <summary>Four classes x two registers: fits the 16 registers of AVX2 and SSE; without SIMD it is plain code.</summary>
    private static void TileVector(float* p, nint pStride, float** x, int n, int used, int column, float* g, nint gStride)
    {
        Vector<float> s00 = default, s01 = default, s10 = default, s11 = default;
        Vector<float> s20 = default, s21 = default, s30 = default, s31 = default;
        nint k1 = Math.Min(1, used - 1), k2 = Math.Min(2, used - 1), k3 = used - 1;
        for (var i = 0; i < n; i++)
        {
            var row = x[i] + column;
            var a = Vector.Load(row);
            var b = Vector.Load(row + Vector<float>.Count);
            var f = new Vector<float>(p[0]);
            s00 = Vector.MultiplyAddEstimate(a, f, s00);
            s01 = Vector.MultiplyAddEstimate(b, f, s01);
            f = new Vector<float>(p[k1]);
            s10 = Vector.MultiplyAddEstimate(a, f, s10);
            s11 = Vector.MultiplyAddEstimate(b, f, s11);
            f = new Vector<float>(p[k2]);
            s20 = Vector.MultiplyAddEstimate(a, f, s20);
            s21 = Vector.MultiplyAddEstimate(b, f, s21);
            f = new Vector<float>(p[k3]);
            s30 = Vector.MultiplyAddEstimate(a, f, s30);
            s31 = Vector.MultiplyAddEstimate(b, f, s31);
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

    private static void Add(float* g, Vector<float> a, Vector<float> b)
    {
        (Vector.Load(g) + a).Store(g);
        (Vector.Load(g + Vector<float>.Count) + b).Store(g + Vector<float>.Count);
    }

    private static void Add(float* g, Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        (Vector512.Load(g) + a).Store(g);
        (Vector512.Load(g + 16) + b).Store(g + 16);
        (Vector512.Load(g + 32) + c).Store(g + 32);
        (Vector512.Load(g + 48) + d).Store(g + 48);
    }
}
