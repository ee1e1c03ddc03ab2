using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace TransferPipeline.Images;

/// <summary>AVX-512 (BW): the scheme of <see cref="Avx2ResampleKernel"/> with four rows, or 64 bytes, at a time.</summary>
internal sealed unsafe class Avx512ResampleKernel : ResampleKernel
{
    public override string Name => "512";

    public override void Horizontal(byte** sources, ResampleAxis axis, byte** destinations)
    {
        // From R0 G0 B0 R1 G1 B1 ... to R0 R1 G0 G1 B0 B1 in 16 bits each: taps 0 and 1, then 2 and 3; a row in each 128-bit lane.
        var firstTwo = FourTimes(Vector128.Create(0, 0x80, 3, 0x80, 1, 0x80, 4, 0x80, 2, 0x80, 5, 0x80, 0x80, 0x80, 0x80, 0x80));
        var lastTwo = FourTimes(Vector128.Create(6, 0x80, 9, 0x80, 7, 0x80, 10, 0x80, 8, 0x80, 11, 0x80, 0x80, 0x80, 0x80, 0x80));
        byte* source0 = sources[0],
            source1 = sources[1],
            source2 = sources[2],
            source3 = sources[3];
        byte* destination0 = destinations[0],
            destination1 = destinations[1],
            destination2 = destinations[2],
            destination3 = destinations[3];
        var (count, taps) = (axis.Count, axis.Taps);
        fixed (int* starts = axis.Starts)
        fixed (int* lengths = axis.Lengths)
        fixed (uint* pairs = axis.Pairs)
        {
            for (var i = 0; i < count; i++)
            {
                var offset = (nint)starts[i] * 3;
                var weights = pairs + (nint)i * taps;
                var end = weights + lengths[i];
                var low = Vector512.Create(Half);
                var high = Vector512<int>.Zero;
                for (; weights < end; weights += 4, offset += 12)
                {
                    var pixels = Vector512.Create(
                        Vector256.Create(Vector128.Load(source0 + offset), Vector128.Load(source1 + offset)),
                        Vector256.Create(Vector128.Load(source2 + offset), Vector128.Load(source3 + offset))
                    );
                    var a = Avx512BW.Shuffle(pixels, firstTwo).AsInt16();
                    var b = Avx512BW.Shuffle(pixels, lastTwo).AsInt16();
                    low += Avx512BW.MultiplyAddAdjacent(a, Vector512.Create(weights[0]).AsInt16());
                    high += Avx512BW.MultiplyAddAdjacent(a, Vector512.Create(weights[1]).AsInt16());
                    low += Avx512BW.MultiplyAddAdjacent(b, Vector512.Create(weights[2]).AsInt16());
                    high += Avx512BW.MultiplyAddAdjacent(b, Vector512.Create(weights[3]).AsInt16());
                }

                var sum = Join(low, high);
                var words = Avx512BW.PackSignedSaturate(sum, sum);
                var bytes = Avx512BW.PackUnsignedSaturate(words, words).AsUInt32();
                var (upper, lower) = (bytes.GetUpper(), bytes.GetLower());
                // Four bytes each; the next pixel overwrites the fourth.
                Unsafe.WriteUnaligned(destination0 + i * 3, lower.GetLower().ToScalar());
                Unsafe.WriteUnaligned(destination1 + i * 3, lower.GetUpper().ToScalar());
                Unsafe.WriteUnaligned(destination2 + i * 3, upper.GetLower().ToScalar());
                Unsafe.WriteUnaligned(destination3 + i * 3, upper.GetUpper().ToScalar());
            }
        }
    }

    private static Vector512<byte> FourTimes(Vector128<byte> lane) =>
        Vector512.Create(Vector256.Create(lane, lane), Vector256.Create(lane, lane));

    public override void Vertical(byte** rows, ResampleAxis axis, int output, byte* destination, int bytes)
    {
        var length = axis.Lengths[output];
        fixed (uint* pairs = &axis.Pairs[output * axis.Taps])
        {
            for (var x = 0; x < bytes; x += Vector512<byte>.Count)
            {
                var low0 = Vector512.Create(Half);
                var (low1, low2, low3) = (low0, low0, low0);
                Vector512<int> high0 = default,
                    high1 = default,
                    high2 = default,
                    high3 = default;
                for (var t = 0; t < length; t += 2)
                {
                    var even = Vector512.Load(rows[t] + x);
                    var odd = Vector512.Load(rows[t + 1] + x);
                    var lows = Vector512.Create(pairs[t]).AsInt16();
                    var highs = Vector512.Create(pairs[t + 1]).AsInt16();
                    var first = Avx512BW.UnpackLow(even, odd);
                    var last = Avx512BW.UnpackHigh(even, odd);
                    var pixels = Avx512BW.UnpackLow(first, default).AsInt16();
                    low0 += Avx512BW.MultiplyAddAdjacent(pixels, lows);
                    high0 += Avx512BW.MultiplyAddAdjacent(pixels, highs);
                    pixels = Avx512BW.UnpackHigh(first, default).AsInt16();
                    low1 += Avx512BW.MultiplyAddAdjacent(pixels, lows);
                    high1 += Avx512BW.MultiplyAddAdjacent(pixels, highs);
                    pixels = Avx512BW.UnpackLow(last, default).AsInt16();
                    low2 += Avx512BW.MultiplyAddAdjacent(pixels, lows);
                    high2 += Avx512BW.MultiplyAddAdjacent(pixels, highs);
                    pixels = Avx512BW.UnpackHigh(last, default).AsInt16();
                    low3 += Avx512BW.MultiplyAddAdjacent(pixels, lows);
                    high3 += Avx512BW.MultiplyAddAdjacent(pixels, highs);
                }

                // Unpacking and packing both work within 128-bit lanes, so that the bytes end in their order.
                var words0 = Avx512BW.PackSignedSaturate(Join(low0, high0), Join(low1, high1));
                var words1 = Avx512BW.PackSignedSaturate(Join(low2, high2), Join(low3, high3));
                Avx512BW.PackUnsignedSaturate(words0, words1).Store(destination + x);
            }
        }
    }

    // As in the AVX2 kernel, a low sum that wraps around does no harm.
    private static Vector512<int> Join(Vector512<int> low, Vector512<int> high) =>
        ((high << ResampleAxis.LowBits) + low) >> ResampleAxis.WeightBits;
}
