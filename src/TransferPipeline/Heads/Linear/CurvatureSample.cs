namespace TransferPipeline.Heads.Linear;

/// <summary>
/// Chooses rows with probabilities that rise with their curvature, as many as a sample holds: the sums over the chosen, each divided by its
/// probability, then vary least. Systematic, so that the same rows are chosen each time.
/// </summary>
internal sealed class CurvatureSample
{
    /// <summary>Share of the choice that is even, so that no row counts for too many.</summary>
    private const double Even = 0.1;

    /// <summary>Room left, since the curvatures of all rows are known from a sample alone.</summary>
    private const double Filling = 0.97;

    private readonly double _scale;
    private readonly double _even;
    private double _sum = 0.5;

    /// <param name="curvatures">Those of rows that were sampled before.</param>
    /// <param name="counts">How many rows, relative to their mean, each of them stands for.</param>
    /// <param name="share">Rows wanted, as a share of all rows.</param>
    public CurvatureSample(float[] curvatures, float[] counts, double share)
    {
        var (sum, total) = (0.0, counts.Sum(c => (double)c));
        for (var i = 0; i < counts.Length; i++)
            sum += (double)counts[i] * curvatures[i];
        // In units of the mean curvature. Without any curvature all rows are alike.
        _even = Even * (sum > 0 ? sum / total : 1);
        // At 1 / even every row is certain, so the scale lies below; 60 halvings are more than a double's 53 bits.
        var (low, high) = (0.0, 1 / _even);
        for (var i = 0; i < 60; i++)
        {
            _scale = 0.5 * (low + high);
            sum = 0;
            for (var k = 0; k < counts.Length; k++)
                sum += counts[k] * Probability(curvatures[k]);
            if (sum > Filling * share * total)
                high = _scale;
            else
                low = _scale;
        }
    }

    /// <summary>The probability with which the row was taken, 0 when it is not.</summary>
    public double Take(double curvature)
    {
        // A row is taken when the running sum passes a whole number: the taken ones are as many as
        // the probabilities' sum.
        var (before, probability) = (Math.Floor(_sum), Probability(curvature));
        _sum += probability;
        return Math.Floor(_sum) > before ? probability : 0;
    }

    private double Probability(double curvature) => Math.Min(1, _scale * (curvature + _even));
}
