using System.Runtime.Intrinsics;

namespace TransferPipeline.Heads;

/// <summary>Products and differences of float32 vectors, summed in double.</summary>
internal static class ExactDistance
{
    /// <summary>Sum of a[i] * b[i]; exact up to double rounding.</summary>
    public static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = Vector512<double>.Zero;
        var i = 0;
        for (; i + Vector512<float>.Count <= a.Length; i += Vector512<float>.Count)
        {
            var (a0, a1) = Vector512.Widen(Vector512.Create(a.Slice(i, Vector512<float>.Count)));
            var (b0, b1) = Vector512.Widen(Vector512.Create(b.Slice(i, Vector512<float>.Count)));
            // A product of two float32 values has 48 bits and is exact in float64; only the sums round.
            sum += a0 * b0 + a1 * b1;
        }

        var total = Vector512.Sum(sum);
        for (; i < a.Length; i++)
            total += (double)a[i] * b[i];
        return total;
    }

    /// <summary>Sum of (a[i] - b[i]) squared; exact up to double rounding.</summary>
    public static double SquaredEuclidean(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = Vector512<double>.Zero;
        var i = 0;
        for (; i + Vector512<float>.Count <= a.Length; i += Vector512<float>.Count)
        {
            var (a0, a1) = Vector512.Widen(Vector512.Create(a.Slice(i, Vector512<float>.Count)));
            var (b0, b1) = Vector512.Widen(Vector512.Create(b.Slice(i, Vector512<float>.Count)));
            sum += (a0 - b0) * (a0 - b0) + (a1 - b1) * (a1 - b1);
        }

        var total = Vector512.Sum(sum);
        for (; i < a.Length; i++)
            total += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        return total;
    }

    /// <summary>Length of a vector.</summary>
    public static double Norm(ReadOnlySpan<float> v) => Math.Sqrt(Dot(v, v));
}
