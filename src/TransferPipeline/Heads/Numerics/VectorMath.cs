using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TransferPipeline.Heads.Numerics;

/// <summary>Elementary functions on 16 values at a time, to within a few units of the last place.</summary>
internal static class VectorMath
{
    /// <summary>Arguments below give 0 in the losses' terms; the power of two stays a normal number.</summary>
    private const float SmallestExponent = -87f;

    /// <summary>
    /// exp(x) for x of at most 0 (larger ones up to 88 work too): 2^n times the Taylor series of degree 7 on |r| of at most ln(2) / 2.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.Max(x, Vector512.Create(SmallestExponent));
        var n = Vector512.Round(x * Vector512.Create(1.44269504f));

        // ln(2) in two parts: the first has 15 bits and n at most 7, so their product is exact and the remainder keeps its low bits.
        var r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-0.693145752f), x);
        r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-1.42860677e-6f), r);
        // Horner's scheme. The first term left out, r^8 / 8!, is below 6e-9: less than float32's rounding.
        var y = Vector512.Create(1f / 5040);
        y = Vector512.MultiplyAddEstimate(y, r, Vector512.Create(1f / 720));
        y = Vector512.MultiplyAddEstimate(y, r, Vector512.Create(1f / 120));
        y = Vector512.MultiplyAddEstimate(y, r, Vector512.Create(1f / 24));
        y = Vector512.MultiplyAddEstimate(y, r, Vector512.Create(1f / 6));
        y = Vector512.MultiplyAddEstimate(y, r, Vector512.Create(0.5f));
        y = Vector512.MultiplyAddEstimate(y, r, Vector512<float>.One);
        y = Vector512.MultiplyAddEstimate(y, r, Vector512<float>.One);
        var power = (Vector512.ConvertToInt32(n) + Vector512.Create(127)) << 23;
        return y * power.AsSingle();
    }

    /// <summary>log(1 + x) for x from 0 to 1, exact in relative terms for small x: log(u) x / (u - 1) with u = 1 + x rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log1p(Vector512<float> x)
    {
        // Goldberg 1991, theorem 4: the rounding of u cancels in log(u) / (u - 1). A compiler that simplified u - 1 to x would break it.
        var u = Vector512<float>.One + x;
        var rest = u - Vector512<float>.One;
        var tiny = Vector512.Equals(rest, Vector512<float>.Zero);
        var value = Vector512.Log(u) * x / Vector512.ConditionalSelect(tiny, Vector512<float>.One, rest);
        return Vector512.ConditionalSelect(tiny, x, value);
    }
}
