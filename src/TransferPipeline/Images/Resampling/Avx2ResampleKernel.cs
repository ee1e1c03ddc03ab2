using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace TransferPipeline.Images;

/// <summary>
/// AVX2: pixels widened to 16 bits and multiplied two taps at a time with the low and the high parts of the weights
/// (vpmaddwd); the parts are joined at the end, which gives the same 32-bit sum.
/// </summary>
internal sealed unsafe class Avx2ResampleKernel : ResampleKernel
{
    public override string Name => "256";

    public override void Horizontal(byte** sources, ResampleAxis axis, byte** destinations)
    {
        fixed (int* starts = axis.Starts)
        fixed (int* lengths = axis.Lengths)
        fixed (uint* pairs = axis.Pairs)
        {
            // One row in each 128-bit lane, since the byte shuffle does not cross lanes.
            for (var row = 0; row < RowsAtOnce; row += 2)
                TwoRows(
                    sources[row],
                    sources[row + 1],
                    starts,
                    lengths,
                    pairs,
                    axis.Count,
                    axis.Taps,
                    destinations[row],
                    destinations[row + 1]
                );
        }
    }

    private static void TwoRows(
        byte* source0,
        byte* source1,
        int* starts,
        int* lengths,
        uint* pairs,
        int count,
        int taps,
        byte* destination0,
        byte* destination1
    )
    {
        // From R0 G0 B0 R1 G1 B1 ... to R0 R1 G0 G1 B0 B1 in 16 bits each: taps 0 and 1, then 2 and 3.
        var firstTwo = Vector256.Create(
            Vector128.Create(0, 0x80, 3, 0x80, 1, 0x80, 4, 0x80, 2, 0x80, 5, 0x80, 0x80, 0x80, 0x80, 0x80).AsByte()
        );
        var lastTwo = Vector256.Create(
            Vector128.Create(6, 0x80, 9, 0x80, 7, 0x80, 10, 0x80, 8, 0x80, 11, 0x80, 0x80, 0x80, 0x80, 0x80).AsByte()
        );
        for (var i = 0; i < count; i++, pairs += taps, destination0 += 3, destination1 += 3)
        {
            var offset = starts[i] * 3;
            var end = pairs + lengths[i];
            var low = Vector256.Create(Half);
            var high = Vector256<int>.Zero;
            // Four taps at a time: low and high parts of taps 0 and 1, then of taps 2 and 3.
            for (var w = pairs; w < end; w += 4, offset += 12)
            {
                var pixels = Vector256.Create(Vector128.Load(source0 + offset), Vector128.Load(source1 + offset));
                var a = Avx2.Shuffle(pixels, firstTwo).AsInt16();
                var b = Avx2.Shuffle(pixels, lastTwo).AsInt16();
                low += Avx2.MultiplyAddAdjacent(a, Vector256.Create(w[0]).AsInt16());
                high += Avx2.MultiplyAddAdjacent(a, Vector256.Create(w[1]).AsInt16());
                low += Avx2.MultiplyAddAdjacent(b, Vector256.Create(w[2]).AsInt16());
                high += Avx2.MultiplyAddAdjacent(b, Vector256.Create(w[3]).AsInt16());
            }

            var sum = Join(low, high);
            var words = Avx2.PackSignedSaturate(sum, sum);
            var bytes = Avx2.PackUnsignedSaturate(words, words).AsUInt32();
            // Four bytes each; the next pixel overwrites the fourth, and the last one lies in the row's padding.
            Unsafe.WriteUnaligned(destination0, bytes.GetLower().ToScalar());
            Unsafe.WriteUnaligned(destination1, bytes.GetUpper().ToScalar());
        }
    }

    public override void Vertical(byte** rows, ResampleAxis axis, int output, byte* destination, int bytes)
    {
        var length = axis.Lengths[output];
        fixed (uint* pairs = &axis.Pairs[output * axis.Taps])
        {
            // Past the row's end it works on padding: rows take a multiple of 64 bytes.
            for (var x = 0; x < bytes; x += Vector256<byte>.Count)
            {
                var low0 = Vector256.Create(Half);
                var (low1, low2, low3) = (low0, low0, low0);
                Vector256<int> high0 = default,
                    high1 = default,
                    high2 = default,
                    high3 = default;
                for (var t = 0; t < length; t += 2)
                {
                    var even = Vector256.Load(rows[t] + x);
                    var odd = Vector256.Load(rows[t + 1] + x);
                    var lows = Vector256.Create(pairs[t]).AsInt16();
                    var highs = Vector256.Create(pairs[t + 1]).AsInt16();
                    // Interleaved, the levels of both rows lie side by side, and one multiply-add weighs and sums them.
                    var first = Avx2.UnpackLow(even, odd);
                    var last = Avx2.UnpackHigh(even, odd);
                    var pixels = Avx2.UnpackLow(first, default).AsInt16();
                    low0 += Avx2.MultiplyAddAdjacent(pixels, lows);
                    high0 += Avx2.MultiplyAddAdjacent(pixels, highs);
                    pixels = Avx2.UnpackHigh(first, default).AsInt16();
                    low1 += Avx2.MultiplyAddAdjacent(pixels, lows);
                    high1 += Avx2.MultiplyAddAdjacent(pixels, highs);
                    pixels = Avx2.UnpackLow(last, default).AsInt16();
                    low2 += Avx2.MultiplyAddAdjacent(pixels, lows);
                    high2 += Avx2.MultiplyAddAdjacent(pixels, highs);
                    pixels = Avx2.UnpackHigh(last, default).AsInt16();
                    low3 += Avx2.MultiplyAddAdjacent(pixels, lows);
                    high3 += Avx2.MultiplyAddAdjacent(pixels, highs);
                }

                // Unpacking and packing both work within 128-bit lanes, so that the bytes end in their order.
                var words0 = Avx2.PackSignedSaturate(Join(low0, high0), Join(low1, high1));
                var words1 = Avx2.PackSignedSaturate(Join(low2, high2), Join(low3, high3));
                Avx2.PackUnsignedSaturate(words0, words1).Store(destination + x);
            }
        }
    }

    // With hundreds of taps the low parts' sum wraps around. The joined sum is right modulo 2^32,
    // and the true one fits 32 bits.
    private static Vector256<int> Join(Vector256<int> low, Vector256<int> high) =>
        ((high << ResampleAxis.LowBits) + low) >> ResampleAxis.WeightBits;
}
