namespace TransferPipeline.Evaluation;

/// <summary>
/// Counter-based random numbers: number i of a stream is a function of (seed, stream, i) alone, so that draws can be made in any
/// order and by any thread. The mixing function is SplitMix64's (Steele, Lea and Flood 2014).
/// </summary>
internal readonly struct CounterRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15;
    private readonly ulong _key;

    /// <param name="stream">Tells apart uses of the same seed: draw number, class, purpose.</param>
    public CounterRandom(int seed, ulong stream = 0) => _key = Mix(Mix((ulong)(uint)seed + Golden) + (stream * Golden));

    /// <summary>64 random bits.</summary>
    public ulong Bits(ulong index) => Mix(_key + ((index + 1) * Golden));

    /// <summary>A whole number from 0 to <paramref name="bound"/> - 1; the bias is below bound / 2^64.</summary>
    public int Below(ulong index, int bound) => (int)Math.BigMul(Bits(index), (ulong)bound, out _);

    /// <summary>A number in [0, 1) with 53 random bits.</summary>
    public double Uniform(ulong index) => (Bits(index) >> 11) * (1.0 / (1UL << 53));

    /// <summary>A standard normal number (Box and Muller 1958).</summary>
    public double Normal(ulong index) =>
        Math.Sqrt(-2 * Math.Log(1 - Uniform(2 * index))) * Math.Cos(2 * Math.PI * Uniform((2 * index) + 1));

    /// <summary>Fisher and Yates' shuffle; uses the numbers 0 to items.Length - 2.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Below((ulong)(items.Length - 1 - i), i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
