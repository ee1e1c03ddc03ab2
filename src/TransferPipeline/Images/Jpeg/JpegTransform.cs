using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace TransferPipeline.Images.Jpeg;

/// <summary>
/// Replaces ImageSharp's inverse transform, in floats and rounded half to even, by libjpeg's in integers (jidctint.c, accurate to the bit
/// with Pillow). The forward transform of a block's rounded samples gives its coefficients back wherever the quantization steps are
/// larger than the rounding: on the strongly compressed photos, whose flat areas lie on halves and move features most.
/// </summary>
internal static class JpegTransform
{
    private const int Size = 8;

    /// <summary>Steps that a coefficient may lie off a whole number. A mean off by half a level lies off by 4 / step: from 9 on flat blocks are restored.</summary>
    private const float MostOff = 0.45f;

    /// <summary>What rounding hardly ever adds to a coefficient: 4.5 standard deviations, each sqrt(1 / 12). The next whole number must be farther away.</summary>
    private const float MostNoise = 1.3f;

    /// <summary>libjpeg's fixed point: 13 fractional bits in factors, 2 between the passes.</summary>
    private const int FactorBits = 13, PassBits = 2;

    /// <summary>The cosines of the transform, frequency by place; and place by frequency.</summary>
    private static readonly float[] Cosines = [.. from u in Enumerable.Range(0, Size) from x in Enumerable.Range(0, Size) select Cosine(u, x)];
    private static readonly float[] CosinesByPlace = [.. from x in Enumerable.Range(0, Size) from u in Enumerable.Range(0, Size) select Cosine(u, x)];

    /// <param name="plane">Samples of one component, row after row; blocks that reach over its border stay as they are.</param>
    /// <param name="steps">Quantization steps in natural order, 64.</param>
    public static void Restore(Span<byte> plane, int columns, int rows, ReadOnlySpan<int> steps)
    {
        Span<Vector256<float>> step = stackalloc Vector256<float>[Size];
        Span<Vector256<float>> mostOff = stackalloc Vector256<float>[Size];
        for (var u = 0; u < Size; u++)
        {
            step[u] = Vector256.ConvertToSingle(Vector256.Create(steps.Slice(u * Size, Size)));
            mostOff[u] = Vector256.Min(Vector256.Create(MostOff), Vector256<float>.One - Vector256.Create(MostNoise) / step[u]);
            if (Vector256.LessThanAny(mostOff[u], Vector256<float>.Zero))
                return;
        }

        Span<Vector256<int>> samples = stackalloc Vector256<int>[Size];
        Span<Vector256<int>> block = stackalloc Vector256<int>[Size];
        for (var y = 0; y + Size <= rows; y += Size)
        {
            for (var x = 0; x + Size <= columns; x += Size)
            {
                var corner = plane[(y * columns + x)..];
                for (var i = 0; i < Size; i++)
                    samples[i] = Load(corner[(i * columns)..]);
                if (!Coefficients(samples, step, mostOff, block))
                    continue;
                Invert(block);
                if (!WithinOne(samples, block))
                    continue;
                for (var i = 0; i < Size; i++)
                    Store(block[i], corner[(i * columns)..]);
            }
        }
    }

    /// <summary>Dequantized coefficients of a block, rows of vertical frequency; false when the samples do not tell them.</summary>
    private static bool Coefficients(
        ReadOnlySpan<Vector256<int>> samples, ReadOnlySpan<Vector256<float>> step, ReadOnlySpan<Vector256<float>> mostOff, Span<Vector256<int>> block)
    {
        Span<Vector256<float>> rows = stackalloc Vector256<float>[Size];
        Span<float> line = stackalloc float[Size];
        for (var y = 0; y < Size; y++)
            rows[y] = Vector256.ConvertToSingle(samples[y] - Vector256.Create(128));
        for (var u = 0; u < Size; u++)
        {
            Weigh(rows, Cosines.AsSpan(u * Size, Size)).CopyTo(line);
            var values = Weigh(MemoryMarshal.Cast<float, Vector256<float>>(CosinesByPlace), line) / step[u];
            var whole = Vector256.Round(values);
            if (Vector256.GreaterThanAny(Vector256.Abs(values - whole), mostOff[u]))
                return false;
            block[u] = Vector256.ConvertToInt32(whole * step[u]);
        }

        return true;
    }

    /// <summary>Sum of eight vectors, each times its weight.</summary>
    private static Vector256<float> Weigh(ReadOnlySpan<Vector256<float>> vectors, ReadOnlySpan<float> weights)
    {
        var even = vectors[0] * weights[0];
        var odd = vectors[1] * weights[1];
        for (var i = 2; i < Size; i += 2)
            (even, odd) = (even + vectors[i] * weights[i], odd + vectors[i + 1] * weights[i + 1]);
        return even + odd;
    }

    /// <summary>From coefficients to levels: columns, then rows, eight of them at once.</summary>
    private static void Invert(Span<Vector256<int>> block)
    {
        Pass(block, FactorBits - PassBits);
        Transpose(block);
        Pass(block, FactorBits + PassBits + 3);
        Transpose(block);
        for (var y = 0; y < Size; y++)
            block[y] = Vector256.Clamp(block[y] + Vector256.Create(128), Vector256<int>.Zero, Vector256.Create(255));
    }

    /// <summary>The two transforms never differ by more than their rounding: if they do, the coefficients are others.</summary>
    private static bool WithinOne(ReadOnlySpan<Vector256<int>> samples, ReadOnlySpan<Vector256<int>> block)
    {
        var most = Vector256<int>.Zero;
        for (var y = 0; y < Size; y++)
            most = Vector256.Max(most, Vector256.Abs(samples[y] - block[y]));
        return Vector256.LessThanOrEqualAll(most, Vector256<int>.One);
    }

    private static Vector256<int> Load(ReadOnlySpan<byte> levels)
    {
        var words = Vector128.WidenLower(Vector128.CreateScalar(BinaryPrimitives.ReadUInt64LittleEndian(levels)).AsByte());
        var (low, high) = Vector128.Widen(words);
        return Vector256.Create(low, high).AsInt32();
    }

    private static void Store(Vector256<int> levels, Span<byte> target)
    {
        var words = Vector128.Narrow(levels.GetLower(), levels.GetUpper());
        BinaryPrimitives.WriteUInt64LittleEndian(target, Vector128.Narrow(words, words).AsUInt64().ToScalar());
    }

    /// <summary>One inverse transform of 8 values in each lane: Loeffler, Ligtenberg and Moschytz 1989, with 11 multiplications and one more for accuracy.</summary>
    private static void Pass(Span<Vector256<int>> v, int shift)
    {
        var both = (v[2] + v[6]) * 4433;
        var (low, high) = (both - v[6] * 15137, both + v[2] * 6270);
        var (sum, difference) = ((v[0] + v[4]) << FactorBits, (v[0] - v[4]) << FactorBits);
        var (even0, even3, even1, even2) = (sum + high, sum - high, difference + low, difference - low);

        var odd = (v[7] + v[3] + v[5] + v[1]) * 9633;
        var (a, b) = ((v[7] + v[1]) * -7373, (v[5] + v[3]) * -20995);
        var (c, d) = ((v[7] + v[3]) * -16069 + odd, (v[5] + v[1]) * -3196 + odd);
        var (odd0, odd1, odd2, odd3) = (v[1] * 12299 + a + d, v[3] * 25172 + b + c, v[5] * 16819 + b + d, v[7] * 2446 + a + c);

        var half = Vector256.Create(1 << (shift - 1));
        (v[0], v[7]) = ((even0 + odd0 + half) >> shift, (even0 - odd0 + half) >> shift);
        (v[1], v[6]) = ((even1 + odd1 + half) >> shift, (even1 - odd1 + half) >> shift);
        (v[2], v[5]) = ((even2 + odd2 + half) >> shift, (even2 - odd2 + half) >> shift);
        (v[3], v[4]) = ((even3 + odd3 + half) >> shift, (even3 - odd3 + half) >> shift);
    }

    private static void Transpose(Span<Vector256<int>> block)
    {
        var values = MemoryMarshal.Cast<Vector256<int>, int>(block);
        for (var u = 0; u < Size; u++)
        {
            for (var v = u + 1; v < Size; v++)
                (values[u * Size + v], values[v * Size + u]) = (values[v * Size + u], values[u * Size + v]);
        }
    }

    private static float Cosine(int frequency, int place) =>
        (float)(Math.Sqrt(frequency == 0 ? 0.125 : 0.25) * Math.Cos((2 * place + 1) * frequency * Math.PI / 16));
}
