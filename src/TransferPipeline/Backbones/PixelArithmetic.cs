using System.Globalization;
using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>What a graph's first operators show of the pixels that it takes.</summary>
internal enum PixelUnit
{
    /// <summary>Nothing.</summary>
    Unknown,

    /// <summary>0 to 255.</summary>
    Levels,

    /// <summary>0 to 1.</summary>
    Unit,

    /// <summary>-1 to 1.</summary>
    Signed,

    /// <summary>ImageNet's normalization, which the graph turns into another (torchvision's transform_input).</summary>
    ImageNet,

    /// <summary>There is arithmetic that fits none of these.</summary>
    Unclear,
}

/// <summary>
/// Recognizes preprocessing that the exporter put into the graph: arithmetic with constants between the input and the first layers is
/// followed as one factor and one offset per channel, and their size shows the unit of the pixels.
/// </summary>
/// <param name="Bgr">The subtracted means are those of blue, green, red in this order.</param>
/// <param name="Evidence">In words.</param>
/// <param name="IsProof">False for limits that the graph sets to its pixels: what a publisher states counts more.</param>
internal sealed record PixelArithmetic(PixelUnit Unit, bool Bgr, string Evidence, bool IsProof = true)
{
    private static readonly PixelArithmetic Nothing = new(PixelUnit.Unknown, false, "");

    /// <summary>ImageNet's numbers would move the channels against each other.</summary>
    private static readonly PixelArithmetic Centred = new(
        PixelUnit.Levels,
        false,
        "its graph subtracts each photo's own mean, so that no other is needed",
        IsProof: false
    );

    public static PixelArithmetic Find(GraphIndex index, BackboneInput input)
    {
        var ends = PixelTrace.Ends(index, input);
        if (input.ElementType == "uint8")
            return new(PixelUnit.Levels, ends.Any(e => IsBgr(e.Channels, 1)), "its input is uint8");
        // 1. What each way from the input to a layer shows; ways without arithmetic show nothing.
        var found = ends.Select(e => (End: e, Unit: UnitOf(e))).Where(f => f.Unit != PixelUnit.Unknown).ToList();
        if (found.Count == 0)
            return Limits(ends) ?? (ends.Any(e => e.IsCentred) ? Centred : Nothing);
        // 2. Ways that agree, or the one that is clear, give the unit.
        var clear = found.Where(f => f.Unit != PixelUnit.Unclear).ToList();
        var (end, unit) = clear.Count > 0 ? clear[0] : found[0];
        if (clear.Exists(f => f.Unit != unit))
            unit = PixelUnit.Unclear;
        return new(
            unit,
            unit is PixelUnit.Levels or PixelUnit.Unit && IsBgr(end.Channels, unit == PixelUnit.Unit ? 255 : 1),
            $"its graph starts with {string.Join(", ", end.Operators)} on the pixels"
        );
    }

    private static PixelUnit UnitOf(PixelTensor tensor)
    {
        if (tensor.Operators.Count == 0)
            return PixelUnit.Unknown;
        // A learned layer behind arithmetic that shows the unit may have any numbers.
        var unit = tensor.Fixed is { } before ? UnitOf(before) : PixelUnit.Unclear;
        if (unit == PixelUnit.Unclear)
            unit = UnitOf(tensor.Channels);
        return unit == PixelUnit.Unclear && tensor.Fixed is null ? PixelUnit.Unknown : unit;
    }

    /// <summary>
    /// The unit in which <c>factor x + offset</c> is what networks are trained on: a span of 1 to 5 around 0, or levels less their mean.
    /// </summary>
    private static PixelUnit UnitOf(IReadOnlyList<PixelChannel> channels)
    {
        var (least, largest) = (channels.Min(c => Math.Abs(c.Factor)), channels.Max(c => Math.Abs(c.Factor)));
        if (channels.All(c => c is { Factor: 1, Offset: 0 }))
            return PixelUnit.Unknown;
        // Where mid grey lands, for levels (127.5) and for values up to 1 (0.5): normalized photos lie around 0.
        var middle = channels.Select(c => (Levels: c.Factor * 127.5 + c.Offset, Unit: c.Factor * 0.5 + c.Offset)).ToList();
        if (
            channels.All(c =>
                Math.Abs(c.Factor - ImageNetFactors[c.Source]) < 0.01 && Math.Abs(c.Offset - ImageNetOffsets[c.Source]) < 0.01
            )
        )
            return PixelUnit.ImageNet;
        // A factor of about 1 / (255 std), with deviations between 0.14 and 1.1 of the range.
        if (least * 255 >= 0.9 && largest * 255 <= 7 && middle.TrueForAll(m => Math.Abs(m.Levels) <= 2.5))
            return PixelUnit.Levels;
        // Means of photos in levels, of dark or bright datasets too; a mean of pixels from 0 to 1 is below 1.
        if (least >= 0.9 && largest <= 1.1 && channels.All(c => c.Offset is > -255 and < -5))
            return PixelUnit.Levels;
        // The same in values up to 1: 1 / std between 1.5 and 7.
        if (least >= 1.5 && largest <= 7 && middle.TrueForAll(m => Math.Abs(m.Unit) <= 1.5) && channels.All(c => c.Offset < 0))
            return PixelUnit.Unit;
        // A factor of 255 makes levels of values up to 1, for networks that were trained on levels.
        return least >= 250 && largest <= 260 ? PixelUnit.Unit : PixelUnit.Unclear;
    }

    /// <summary>torchvision's transform_input: from ImageNet's mean and deviation to 0.5 and 0.5.</summary>
    private static readonly double[] ImageNetFactors = [0.458, 0.448, 0.45];
    private static readonly double[] ImageNetOffsets = [-0.03, -0.088, -0.188];

    /// <summary>ImageNet's means in levels are 123.7, 116.8 and 103.9; the first channel of the photo has the last one.</summary>
    /// <param name="levels">Levels in one unit of the input.</param>
    private static bool IsBgr(IReadOnlyList<PixelChannel> channels, double levels)
    {
        return channels.Count == 3 && Mean(0) is > 100 and < 108 && Mean(2) is > 120 and < 127;

        double Mean(int source) =>
            channels.Where(c => c.Source == source).Select(c => -c.Offset / c.Factor * levels).DefaultIfEmpty(double.NaN).First();
    }

    /// <summary>Limits that the first operators set to the pixels; a quantization has those of the photos that it was made with.</summary>
    private static PixelArithmetic? Limits(IReadOnlyList<PixelTensor> ends)
    {
        foreach (var (least, largest, what) in ends.Select(e => e.Limits).OfType<PixelLimits>())
        {
            var unit = (least, largest) switch
            {
                (> -2 and < 2, > 200 and < 260) => PixelUnit.Levels,
                (> -0.02 and < 0.02, > 0.9 and < 1.1) => PixelUnit.Unit,
                (> -1.1 and < -0.9, > 0.9 and < 1.1) => PixelUnit.Signed,
                _ => PixelUnit.Unknown,
            };
            if (unit != PixelUnit.Unknown)
                return new(
                    unit,
                    false,
                    string.Create(CultureInfo.InvariantCulture, $"its graph {what} pixels to {least:0.##} to {largest:0.##}"),
                    IsProof: false
                );
        }

        return null;
    }
}
