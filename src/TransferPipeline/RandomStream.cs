using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace TransferPipeline;

/// <summary>
/// Random numbers of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): the same
/// on every machine, with a stream of its own for each seed and part. Number i of a stream can also be read without those before
/// it, so that draws can be made in any order and by any thread.
/// </summary>
internal struct RandomStream
{
    // 2^64 / golden ratio. An odd increment visits all 2^64 states before one repeats.
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private ulong _state;

    private RandomStream(ulong state) => _state = state;

    // The outer Mix is needed: states that differ by a multiple of Golden
    // would give one stream, shifted by some numbers.
    /// <summary>The stream of one part of a training job.</summary>
    /// <param name="part">Number of an independent part: the tree, the epoch, the layer.</param>
    public static RandomStream OfPart(int seed, long part) => new(Mix(Mix((uint)seed) + (ulong)part * Golden));

    // The added Golden keeps these streams apart from those of OfPart under the same seed.
    /// <summary>The stream of one use in an evaluation.</summary>
    /// <param name="stream">Number of a use of the same seed: draw number, class, purpose.</param>
    public static RandomStream OfDraws(int seed, ulong stream = 0) => new(Mix(Mix((uint)seed + Golden) + stream * Golden));

    /// <summary>The stream of an augmented view, which depends on the seed, the photo's content and the view alone.</summary>
    /// <param name="imageSha256">The photo's SHA-256 in hexadecimal.</param>
    /// <param name="view">1 or more.</param>
    public static RandomStream OfView(ulong seed, string imageSha256, int view)
    {
        // The hash is uniform already; its first 64 bits distinguish photos.
        var photo = BinaryPrimitives.ReadUInt64BigEndian(Convert.FromHexString(imageSha256.AsSpan(0, 16)));
        return new(Mix(Mix(Mix(seed + Golden) ^ photo) + Golden * (ulong)view));
    }

    /// <summary>The next 64 random bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Next() => Mix(_state += Golden);

    // The high half of the 128-bit product scales the number without a division.
    /// <summary>Uniform in [0, bound), up to a bias of bound / 2^64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    // 53 bits are what a double's fraction holds, so that every result is exact and below 1.
    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Fisher and Yates' shuffle.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>
    /// Number <paramref name="index"/> from here as 64 bits, without drawing it; 0 is what <see cref="Next"/> would give.
    /// </summary>
    public readonly ulong BitsAt(ulong index) => Mix(_state + (index + 1) * Golden);

    /// <summary>Number <paramref name="index"/> from here in [0, bound).</summary>
    public readonly int BelowAt(ulong index, int bound) => (int)Math.BigMul(BitsAt(index), (ulong)bound, out _);

    /// <summary>Number <paramref name="index"/> from here in [0, 1).</summary>
    public readonly double UnitAt(ulong index) => (BitsAt(index) >> 11) * (1.0 / (1UL << 53));

    /// <summary>
    /// A standard normal number of the numbers 2 <paramref name="index"/> and 2 <paramref name="index"/> + 1 (Box and Muller 1958).
    /// </summary>
    public readonly double NormalAt(ulong index) =>
        // 1 - u lies in (0, 1], so that the logarithm is finite.
        Math.Sqrt(-2 * Math.Log(1 - UnitAt(2 * index))) * Math.Cos(2 * Math.PI * UnitAt(2 * index + 1));

    private static ulong Mix(ulong z)
    {
        // The multipliers are Stafford's variant 13 of MurmurHash3's finalizer, which SplitMix64 uses.
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
