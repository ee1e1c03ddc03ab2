namespace TransferPipeline.Backbones;

/// <summary>A channel as <c>factor x + offset</c> of a channel of the photo.</summary>
/// <param name="Source">The input's channel.</param>
internal readonly record struct PixelChannel(int Source, double Factor, double Offset);

/// <summary>Values that pixels are limited to.</summary>
/// <param name="What">The verb.</param>
internal sealed record PixelLimits(double Least, double Largest, string What);

/// <summary>A tensor that still is the photo, but for arithmetic on each channel, their order, and the size.</summary>
/// <param name="Axis">Of the channels; -1 where a single one has no axis.</param>
internal sealed record PixelTensor(int Axis, int Rank, IReadOnlyList<PixelChannel> Channels)
{
    /// <summary>Operators that changed a value, in their order.</summary>
    public IReadOnlyList<string> Operators { get; init; } = [];

    /// <summary>The channels behind the last operator whose numbers are not learned; null when all are.</summary>
    public IReadOnlyList<PixelChannel>? Fixed { get; init; }

    /// <summary>Limits that were set before any arithmetic.</summary>
    public PixelLimits? Limits { get; init; }

    /// <summary>It holds 8-bit numbers that a quantization made.</summary>
    public bool IsQuantized { get; init; }

    /// <summary>Its own mean was subtracted, so that one factor and one offset for all channels change nothing.</summary>
    public bool IsCentred { get; init; }

    /// <summary>Operators between the input and the tensor.</summary>
    public int Steps { get; init; }

    /// <summary>a (f x + o) + b = (a f) x + (a o + b) for each channel.</summary>
    /// <param name="factor">One number for all channels, or one for each.</param>
    public PixelTensor Times(double[] factor, double[] offset, string op, bool isLearned)
    {
        IReadOnlyList<PixelChannel> channels =
        [
            .. Channels.Select(
                (p, c) =>
                {
                    var (a, b) = (factor[c % factor.Length], offset[c % offset.Length]);
                    return p with { Factor = a * p.Factor, Offset = a * p.Offset + b };
                }
            ),
        ];
        return channels.SequenceEqual(Channels)
            ? this
            : this with
            {
                Channels = channels,
                Operators = [.. Operators, op],
                Fixed = isLearned ? Fixed : channels,
            };
    }

    /// <summary>Some of the channels, or all in another order.</summary>
    public PixelTensor Pick(IReadOnlyList<int> places) =>
        this with
        {
            Channels = [.. places.Select(p => Channels[p])],
            Fixed = Fixed is null ? null : [.. places.Select(p => Fixed[p])],
        };
}
