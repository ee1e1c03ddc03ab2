using System.Globalization;

namespace TransferPipeline.Quantization;

/// <summary>How the range of a tensor is chosen from the values that calibration photos give it.</summary>
internal enum CalibrationMethod
{
    /// <summary>The range with the least mean squared error of rounding and clipping together.</summary>
    Mse,

    /// <summary>From the smallest value to the largest.</summary>
    Minmax,

    /// <summary>Leaves out one value of 10,000 on each side.</summary>
    Percentile,

    /// <summary>The range whose 256 levels lose the least information (Kullback-Leibler divergence).</summary>
    Entropy,
}

/// <summary>Levels that 8-bit weights use.</summary>
internal enum WeightRange
{
    /// <summary>
    /// Two weights whose products are added together are at most 128 in sum: with unsigned activations that fits into 16 bits, in which
    /// x86 without VNNI adds.
    /// </summary>
    Reduced,

    /// <summary>-127 to 127, whatever stands beside them.</summary>
    Full,
}

/// <summary>How a backbone is quantized; each of them may change the file.</summary>
internal sealed record QuantizationOptions
{
    [Option("photos", "Training photos that ranges are measured on.", Min = 1, Max = 100_000)]
    public int Photos { get; init; } = 200;

    [Option("method", "How the range of a tensor is chosen from its values.")]
    public CalibrationMethod Method { get; init; }

    [Option(
        "weight-range",
        "Levels of weights: reduced (two that are added are at most 128, which every CPU adds exactly), or full (-127 to 127)."
    )]
    public WeightRange WeightRange { get; init; }

    /// <summary>Layers are left in float until the mean cosine between int8 and float vectors reaches it.</summary>
    [Option("min-cosine", "Leave layers in float until the mean cosine to the float vectors reaches it.", Min = 0, Max = 1)]
    public double MinCosine { get; init; } = 0.98;

    /// <summary>Most layers that may be left in float for <see cref="MinCosine"/>.</summary>
    [Option("max-float-layers", "Most layers that may be left in float for --min-cosine.", Min = 0, Max = 10_000)]
    public int MaxFloatLayers { get; init; } = 8;

    private string Levels => WeightRange == WeightRange.Reduced ? "in pairs to 128" : "to 127";

    /// <summary>All that determines the file besides the float model and the photos, in words.</summary>
    public string Describe() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"method {Method.ToString().ToLowerInvariant()}, weights {Levels}, "
                + $"min-cosine {MinCosine:R}, max-float-layers {MaxFloatLayers}"
        );
}
