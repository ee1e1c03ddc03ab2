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
