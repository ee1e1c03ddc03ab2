using System.Buffers.Binary;

namespace TransferPipeline.Images.Augmentations;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014), started from a seed, a
/// photo's content and a view's number alone, so that a view is the same whatever the order and the threads.
/// </summary>
internal struct AugmentationRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private ulong _state;

    /// <param name="seed">The run's seed.</param>
    /// <param name="imageSha256">The photo's SHA-256 in hexadecimal.</param>
    /// <param name="view">1 or more.</param>
    public AugmentationRandom(ulong seed, string imageSha256, int view)
    {
        // The hash is uniform already; the first 64 bits tell photos apart.
        var photo = BinaryPrimitives.ReadUInt64BigEndian(Convert.FromHexString(imageSha256.AsSpan(0, 16)));
        _state = Mix(Mix(seed + Golden) ^ photo) + Golden * (ulong)view;
        _state = Mix(_state);
    }

    public ulong Next() => Mix(_state += Golden);

    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    public double Uniform(in Interval interval) => interval.From + (interval.To - interval.From) * NextDouble();

    /// <summary>0 to <paramref name="count"/> - 1; the product's high half, whose bias is below count / 2^64.</summary>
    public int Below(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
