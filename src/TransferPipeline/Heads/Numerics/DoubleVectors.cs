using System.Runtime.Intrinsics;

namespace TransferPipeline.Heads.Numerics;

/// <summary>Sums and updates of float64 vectors.</summary>
internal static unsafe class DoubleVectors
{
    public static double Dot(double* a, double* b, nint length)
    {
        // Two independent sums, so that a multiply-add does not wait for the one before it. Without AVX-512, a Vector512 is compiled as
        // narrower registers.
        Vector512<double> first = default,
            second = default;
        nint i = 0;
        for (; i + 16 <= length; i += 16)
        {
            first = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), Vector512.Load(b + i), first);
            second = Vector512.MultiplyAddEstimate(Vector512.Load(a + i + 8), Vector512.Load(b + i + 8), second);
        }

        if (i + 8 <= length)
        {
            first = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), Vector512.Load(b + i), first);
            i += 8;
        }

        var sum = Vector512.Sum(first + second);
        for (; i < length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    /// <summary>Products of four rows with a vector, each with the bits of <see cref="Dot"/>.</summary>
    public static void FourDots(double* rows, nint stride, double* b, nint length, double* results)
    {
        double* a0 = rows,
            a1 = rows + stride,
            a2 = rows + 2 * stride,
            a3 = rows + 3 * stride;
        Vector512<double> f0 = default,
            f1 = default,
            f2 = default,
            f3 = default;
        Vector512<double> s0 = default,
            s1 = default,
            s2 = default,
            s3 = default;
        nint i = 0;
        for (; i + 16 <= length; i += 16)
        {
            var (first, second) = (Vector512.Load(b + i), Vector512.Load(b + i + 8));
            f0 = Vector512.MultiplyAddEstimate(Vector512.Load(a0 + i), first, f0);
            s0 = Vector512.MultiplyAddEstimate(Vector512.Load(a0 + i + 8), second, s0);
            f1 = Vector512.MultiplyAddEstimate(Vector512.Load(a1 + i), first, f1);
            s1 = Vector512.MultiplyAddEstimate(Vector512.Load(a1 + i + 8), second, s1);
            f2 = Vector512.MultiplyAddEstimate(Vector512.Load(a2 + i), first, f2);
            s2 = Vector512.MultiplyAddEstimate(Vector512.Load(a2 + i + 8), second, s2);
            f3 = Vector512.MultiplyAddEstimate(Vector512.Load(a3 + i), first, f3);
            s3 = Vector512.MultiplyAddEstimate(Vector512.Load(a3 + i + 8), second, s3);
        }

        if (i + 8 <= length)
        {
            var first = Vector512.Load(b + i);
            f0 = Vector512.MultiplyAddEstimate(Vector512.Load(a0 + i), first, f0);
            f1 = Vector512.MultiplyAddEstimate(Vector512.Load(a1 + i), first, f1);
            f2 = Vector512.MultiplyAddEstimate(Vector512.Load(a2 + i), first, f2);
            f3 = Vector512.MultiplyAddEstimate(Vector512.Load(a3 + i), first, f3);
            i += 8;
        }

        var (r0, r1, r2, r3) = (Vector512.Sum(f0 + s0), Vector512.Sum(f1 + s1), Vector512.Sum(f2 + s2), Vector512.Sum(f3 + s3));
        for (; i < length; i++)
        {
            r0 += a0[i] * b[i];
            r1 += a1[i] * b[i];
            r2 += a2[i] * b[i];
            r3 += a3[i] * b[i];
        }

        (results[0], results[1], results[2], results[3]) = (r0, r1, r2, r3);
    }

    /// <summary>y += factor x.</summary>
    public static void AddScaled(double* y, double factor, double* x, nint length)
    {
        var f = Vector512.Create(factor);
        nint i = 0;
        for (; i + 8 <= length; i += 8)
            Vector512.MultiplyAddEstimate(Vector512.Load(x + i), f, Vector512.Load(y + i)).Store(y + i);
        for (; i < length; i++)
            y[i] += factor * x[i];
    }
}
