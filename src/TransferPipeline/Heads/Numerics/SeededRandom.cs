using System.Runtime.CompilerServices;

namespace TransferPipeline.Heads.Numerics;

/// <summary>SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine, and a stream of its own for each seed and part.</summary>
internal struct SeededRandom
{
    private ulong _state;

    /// <param name="stream">Tells independent parts of one job apart: the tree, the epoch, the layer.</param>
    public SeededRandom(int seed, long stream) => _state = Mix(Mix((uint)seed) + (ulong)stream * 0x9E3779B97F4A7C15);

    /// <summary>Uniform in [0, 2^64).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>Uniform in [0, bound), up to a bias of bound / 2^64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    public double Unit() => (Next() >> 11) * Math.ScaleB(1, -53);

    /// <summary>Fisher-Yates.</summary>
    public void Shuffle(Span<int> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Below(i + 1);
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
