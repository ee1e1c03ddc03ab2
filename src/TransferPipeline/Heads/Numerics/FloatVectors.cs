using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace TransferPipeline.Heads.Numerics;

/// <summary>Sums and updates of long float32 vectors; sums are kept in double.</summary>
internal static unsafe class FloatVectors
{
    public static double Dot(float* a, float* b, nint length)
    {
        // A product of two float32 numbers has 48 bits and is exact in float64; only the additions round.
        Vector512<double> low = default,
            high = default;
        nint i = 0;
        for (; i + 16 <= length; i += 16)
        {
            var (x, y) = (Vector512.Load(a + i), Vector512.Load(b + i));
            low = Vector512.MultiplyAddEstimate(Vector512.WidenLower(x), Vector512.WidenLower(y), low);
            high = Vector512.MultiplyAddEstimate(Vector512.WidenUpper(x), Vector512.WidenUpper(y), high);
        }

        var sum = Vector512.Sum(low + high);
        for (; i < length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }

    public static double Dot(double* a, float* b, nint length)
    {
        Vector512<double> s0 = default,
            s1 = default,
            s2 = default,
            s3 = default;
        nint i = 0;
        for (; i + 32 <= length; i += 32)
        {
            var (x, y) = (Vector512.Load(b + i), Vector512.Load(b + i + 16));
            s0 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), Vector512.WidenLower(x), s0);
            s1 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i + 8), Vector512.WidenUpper(x), s1);
            s2 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i + 16), Vector512.WidenLower(y), s2);
            s3 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i + 24), Vector512.WidenUpper(y), s3);
        }

        var sum = Vector512.Sum((s0 + s1) + (s2 + s3));
        for (; i < length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    /// <summary>Sum of products in float32.</summary>
    public static float DotSingle(float* a, float* b, nint length)
    {
        Vector512<float> s0 = default,
            s1 = default,
            s2 = default,
            s3 = default;
        nint i = 0;
        for (; i + 64 <= length; i += 64)
        {
            s0 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), Vector512.Load(b + i), s0);
            s1 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i + 16), Vector512.Load(b + i + 16), s1);
            s2 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i + 32), Vector512.Load(b + i + 32), s2);
            s3 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i + 48), Vector512.Load(b + i + 48), s3);
        }

        for (; i + 16 <= length; i += 16)
            s0 = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), Vector512.Load(b + i), s0);
        var sum = Vector512.Sum((s0 + s1) + (s2 + s3));
        for (; i < length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    /// <summary>y += factor x.</summary>
    public static void AddScaled(float* y, double factor, float* x, nint length)
    {
        // Rounded before the loops: the values behind the last full register are multiplied by the same number.
        var f = Vector512.Create((float)factor);
        nint i = 0;
        for (; i + 16 <= length; i += 16)
            Vector512.MultiplyAddEstimate(Vector512.Load(x + i), f, Vector512.Load(y + i)).Store(y + i);
        for (; i < length; i++)
            y[i] += (float)factor * x[i];
    }

    /// <summary>y += factor x, in float64.</summary>
    public static void AddScaled(double* y, double factor, float* x, nint length)
    {
        var f = Vector512.Create(factor);
        nint i = 0;
        for (; i + 16 <= length; i += 16)
        {
            var values = Vector512.Load(x + i);
            Vector512.MultiplyAddEstimate(Vector512.WidenLower(values), f, Vector512.Load(y + i)).Store(y + i);
            Vector512.MultiplyAddEstimate(Vector512.WidenUpper(values), f, Vector512.Load(y + i + 8)).Store(y + i + 8);
        }

        for (; i < length; i++)
            y[i] += factor * x[i];
    }

    /// <summary>y = x + factor y.</summary>
    public static void ScaleAdd(float* y, double factor, float* x, nint length)
    {
        var f = Vector512.Create((float)factor);
        nint i = 0;
        for (; i + 16 <= length; i += 16)
            Vector512.MultiplyAddEstimate(Vector512.Load(y + i), f, Vector512.Load(x + i)).Store(y + i);
        for (; i < length; i++)
            y[i] = x[i] + (float)factor * y[i];
    }

    /// <summary>
    /// Prefetches values into the second-level cache, where their order is one that the hardware prefetcher cannot predict.
    /// </summary>
    public static void Prefetch(float* values, nint length)
    {
        if (!Sse.IsSupported)
            return;
        for (nint i = 0; i < length; i += 16)
            Sse.Prefetch1(values + i);
    }

    public static void Copy(float* from, float* to, nint length) =>
        Buffer.MemoryCopy(from, to, length * sizeof(float), length * sizeof(float));
}
