using System.Globalization;

namespace TransferPipeline.Inference.Gpu;

/// <summary>
/// Whether convolutions that add their bias themselves are faster than a kernel for each bias, on one GPU at the batch of the run.
/// </summary>
/// <param name="Apart">Photos per second with a kernel for each bias.</param>
/// <param name="Within">Photos per second with the bias in the convolutions' kernels; 0 when they fail.</param>
/// <param name="Distance">Between vectors of the two, relative to a vector's length.</param>
/// <param name="Problem">Why convolutions with bias cannot run, in one line; null when they can.</param>
internal sealed record FusionTrial(double Apart, double Within, double Distance, string? Problem = null)
{
    /// <summary>Largest distance: what rounding to 11 bits after the bias in place of before it may bring over a deep network.</summary>
    public const double Tolerance = 0.02;

    /// <summary>The gain that is worth other bits.</summary>
    private const double Gain = 1.02;

    public bool Wins => Problem is null && Distance <= Tolerance && Within >= Apart * Gain;

    // The distance is compared by a negation, so that NaN counts as other vectors.
    public override string ToString() =>
        Problem is not null ? $"convolutions do not add their bias themselves, as that fails ({Problem}); --cuda-fusion off skips the trial"
        : !(Distance <= Tolerance)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"convolutions do not add their bias themselves, as that gives other vectors (distance {Distance:0.0e0} of a vector's "
                    + $"length); --cuda-fusion off skips the trial"
            )
        : string.Create(
            CultureInfo.InvariantCulture,
            $"convolutions {(Wins ? "" : "do not ")}add their bias themselves ({Within:0}/s, without {Apart:0}/s; distance "
                + $"{Distance:0.0e0} of a vector's length); --cuda-fusion {(Wins ? "on" : "off")} skips the trial"
        );
}
