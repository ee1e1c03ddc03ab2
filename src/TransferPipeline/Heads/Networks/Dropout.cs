using System.Numerics;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Networks;

/// <summary>
/// Sets a share of hidden values to zero and enlarges the others accordingly. Whether a value is kept is a hash of seed, step, layer and
/// position (the 32-bit mixer of Wellons 2018), so that it depends on no order of work.
/// </summary>
internal sealed class Dropout(double share, int seed)
{
    private readonly uint _limit = (uint)Math.Min(share * 4294967296.0, uint.MaxValue);

    /// <summary>Factor of the values that are kept.</summary>
    public float Kept { get; } = (float)(1 / (1 - share));

    public int Step { get; set; }

    public void Apply(Span<float> values, int layer)
    {
        // Above 2^50, since epochs use the streams from 0 and layers those from 2^40.
        var key = (uint)RandomStream.OfPart(seed, ((long)layer << 32 | (uint)Step) + (1L << 50)).Next();
        var i = 0;
        var (limit, kept) = (new Vector<uint>(_limit), new Vector<float>(Kept));
        for (; i + Vector<float>.Count <= values.Length; i += Vector<float>.Count)
        {
            var hash = new Vector<uint>(key) ^ Mix(Vector.CreateSequence((uint)i, 1u));
            var keep = Vector.GreaterThanOrEqual(Mix(hash), limit);
            Vector.ConditionalSelect(keep.As<uint, int>(), new Vector<float>(values[i..]) * kept, Vector<float>.Zero).CopyTo(values[i..]);
        }

        for (; i < values.Length; i++)
            // The vectors' functions, one value at a time: which values are kept must not depend on
            // the width of a register.
            values[i] = Mix(new Vector<uint>(key) ^ Mix(new Vector<uint>((uint)i)))[0] >= _limit ? values[i] * Kept : 0;
    }

    private static Vector<uint> Mix(Vector<uint> x)
    {
        x = (x ^ (x >>> 16)) * new Vector<uint>(0x7FEB352D);
        x = (x ^ (x >>> 15)) * new Vector<uint>(0x846CA68B);
        return x ^ (x >>> 16);
    }
}
