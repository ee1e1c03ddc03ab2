using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TransferPipeline.Images;

/// <summary>Four sums at a time in 128 bits, by portable operations: ARM, and x86 before AVX2.</summary>
internal sealed unsafe class Vector128ResampleKernel : ResampleKernel
{
    public override string Name => "128";

    public override void Horizontal(byte** sources, ResampleAxis axis, byte** destinations)
    {
        for (var row = 0; row < RowsAtOnce; row++)
        {
            var destination = destinations[row];
            for (var i = 0; i < axis.Count; i++, destination += 3)
            {
                var weights = axis.Weights.AsSpan(i * axis.Taps, axis.Lengths[i]);
                var source = sources[row] + axis.Starts[i] * 3;
                var sum = Vector128.Create(Half);
                foreach (var weight in weights)
                {
                    // The fourth lane is the next pixel's red, summed and then overwritten.
                    var pixel = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(source)).AsByte();
                    sum += Vector128.WidenLower(Vector128.WidenLower(pixel)).AsInt32() * weight;
                    source += 3;
                }

                // Before the narrowing, which drops high bits instead of saturating.
                var clipped = Clip(sum);
                Unsafe.WriteUnaligned(destination, Vector128.Narrow(Vector128.Narrow(clipped, clipped), default).AsUInt32().ToScalar());
            }
        }
    }

    public override void Vertical(byte** rows, ResampleAxis axis, int output, byte* destination, int bytes)
    {
        var weights = axis.Weights.AsSpan(output * axis.Taps, axis.Lengths[output]);
        for (var x = 0; x < bytes; x += Vector128<byte>.Count)
        {
            var a = Vector128.Create(Half);
            var (b, c, d) = (a, a, a);
            for (var t = 0; t < weights.Length; t++)
            {
                var (low, high) = Vector128.Widen(Vector128.Load(rows[t] + x));
                a += Vector128.WidenLower(low).AsInt32() * weights[t];
                b += Vector128.WidenUpper(low).AsInt32() * weights[t];
                c += Vector128.WidenLower(high).AsInt32() * weights[t];
                d += Vector128.WidenUpper(high).AsInt32() * weights[t];
            }

            Vector128.Narrow(Vector128.Narrow(Clip(a), Clip(b)), Vector128.Narrow(Clip(c), Clip(d))).Store(destination + x);
        }
    }

    private static Vector128<uint> Clip(Vector128<int> sum) =>
        Vector128.Clamp(sum >> ResampleAxis.WeightBits, Vector128<int>.Zero, Vector128.Create(255)).AsUInt32();
}
