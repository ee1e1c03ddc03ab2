namespace TransferPipeline.Images;

/// <summary>
/// For one axis of a resize: which source positions make up each kept output position, and with which weights.
/// Pillow's arithmetic (src/libImaging/Resample.c): weights in double, normalized by their sum, then integers with 22 fractional bits.
/// </summary>
internal sealed class ResampleAxis
{
    /// <summary>Fractional bits of a weight: 32 less 8 for the pixel and 2 for overshoot.</summary>
    public const int WeightBits = 22;

    /// <summary>Bits of a weight's low part; both parts fit 16 signed bits, which the pairwise multiply-add of x86 takes.</summary>
    public const int LowBits = 15;

    /// <summary>Only a side of millions of pixels needs more; resizing it would take gigabytes.</summary>
    private const int MostWeights = 1 << 24;

    private ResampleAxis(int count, int taps)
    {
        Taps = taps;
        Starts = new int[count];
        Lengths = new int[count];
        Weights = new int[count * taps];
        // Zeroed: vector kernels read taps in groups of four, and those past a window must weigh nothing.
        Pairs = GC.AllocateArray<uint>(count * taps, pinned: true);
    }

    /// <summary>Room for weights per output, a multiple of 4; unused ones are 0.</summary>
    public int Taps { get; }

    /// <summary>Output positions kept.</summary>
    public int Count => Starts.Length;

    /// <summary>First source position of each output; never decreasing.</summary>
    public int[] Starts { get; }

    /// <summary>Number of source positions of each output.</summary>
    public int[] Lengths { get; }

    /// <summary>Count x Taps integer weights.</summary>
    public int[] Weights { get; }

    /// <summary>The same weights for two taps at a time: low parts of both in one number, high parts in the next. Pinned.</summary>
    public uint[] Pairs { get; }

    /// <summary>Most source positions of any output.</summary>
    public int Longest { get; private set; }

    /// <summary>Past the last source position of all outputs; windows end in the order in which they start.</summary>
    public int End => Starts[^1] + Lengths[^1];

    /// <summary>Every output is one source position as it is: an axis that is not resized, or nearest.</summary>
    public bool IsSelection { get; private set; }

    /// <summary>The outputs are consecutive source positions.</summary>
    public bool IsContiguous { get; private set; }

    /// <summary>
    /// The axis that keeps positions <paramref name="first"/> to first + count of a resize from <paramref name="from"/> to
    /// <paramref name="to"/>.
    /// </summary>
    public static ResampleAxis Create(int from, int to, int first, int count, Interpolation interpolation) =>
        from == to ? Unchanged(first, count)
        : interpolation == Interpolation.Nearest ? Nearest(from, to, first, count)
        : Filtered(from, to, first, count, interpolation);

    private static ResampleAxis Unchanged(int first, int count)
    {
        var axis = new ResampleAxis(count, 4)
        {
            IsSelection = true,
            IsContiguous = true,
            Longest = 1,
        };
        for (var i = 0; i < count; i++)
            axis.SetWhole(i, first + i);
        return axis;
    }

    /// <summary>
    /// Pillow steps along the axis by adding the scale (Geometry.c, ImagingScaleAffine); a product would round differently.
    /// </summary>
    private static ResampleAxis Nearest(int from, int to, int first, int count)
    {
        var axis = new ResampleAxis(count, 4) { IsSelection = true, Longest = 1 };
        var scale = (double)from / to;
        var position = scale * 0.5;
        // From 0, though only the kept part is wanted: the sum's rounding depends on every step.
        for (var i = 0; i < first + count; i++, position += scale)
        {
            if (i >= first)
                axis.SetWhole(i - first, Math.Min((int)position, from - 1));
        }

        return axis;
    }

    private static ResampleAxis Filtered(int from, int to, int first, int count, Interpolation interpolation)
    {
        var filter = ResampleFilter.Of(interpolation);
        var scale = (double)from / to;
        // Shrinking widens the filter, so that every source pixel counts (antialiasing); enlarging does not narrow it.
        var stretch = Math.Max(scale, 1.0);
        var support = filter.Support * stretch;
        // Pillow's ksize (Resample.c, precompute_coeffs).
        var longest = (int)Math.Ceiling(support) * 2 + 1;
        if ((long)longest * count > MostWeights)
            throw new ImageDecodeException($"a side of {from} pixels is too long to resize to {to}");
        var axis = new ResampleAxis(count, (longest + 3) & ~3);
        var inverse = 1.0 / stretch;
        var exact = new double[longest];
        for (var i = 0; i < count; i++)
        {
            // By the place in the full result, so that a kept part has the bits of a full resize.
            var centre = (first + i + 0.5) * scale;
            var start = Math.Max((int)(centre - support + 0.5), 0);
            var length = Math.Min((int)(centre + support + 0.5), from) - start;
            var sum = 0.0;
            for (var t = 0; t < length; t++)
                // In Pillow's order, since another one may round the sum differently.
                sum += exact[t] = filter.Weight((t + start - centre + 0.5) * inverse);
            axis.Starts[i] = start;
            axis.Lengths[i] = length;
            axis.Longest = Math.Max(axis.Longest, length);
            for (var t = 0; t < length; t++)
                axis.SetWeight(i, t, Round(sum == 0.0 ? exact[t] : exact[t] / sum));
        }

        return axis;
    }

    /// <summary>Half away from zero, as C's conversion after adding or taking away a half.</summary>
    private static int Round(double weight) =>
        weight < 0 ? (int)(-0.5 + weight * (1 << WeightBits)) : (int)(0.5 + weight * (1 << WeightBits));

    private void SetWhole(int output, int source)
    {
        Starts[output] = source;
        Lengths[output] = 1;
        SetWeight(output, 0, 1 << WeightBits);
    }

    private void SetWeight(int output, int tap, int weight)
    {
        var index = output * Taps + tap;
        Weights[index] = weight;
        // Even taps take the low 16 bits of both numbers of a pair, odd taps the high ones.
        var shift = (tap & 1) * 16;
        var pair = index & ~1;
        // The low part is never negative; the high part has the sign.
        Pairs[pair] |= (uint)(weight & ((1 << LowBits) - 1)) << shift;
        Pairs[pair + 1] |= (uint)(ushort)(weight >> LowBits) << shift;
    }
}
