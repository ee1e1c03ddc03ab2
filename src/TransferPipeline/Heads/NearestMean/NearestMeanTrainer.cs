using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>
/// The class whose mean is nearest: scikit-learn's NearestCentroid. With m the mean, the score is x.m - |m|^2 / 2, which differs from
/// -|x - m|^2 / 2 by the same amount for every class; with <c>metric=cosine</c> it is the cosine of x and the mean. Probabilities are the
/// softmax of the scores and uncalibrated.
/// </summary>
internal sealed class NearestMeanTrainer() : HeadTrainer<NearestMean>(new NearestMean())
{
    public override string Name => "nearest-mean";

    public override string Summary => "nearest class mean, scikit-learn's NearestCentroid";

    protected override IHead Fit(TrainingRows data, NearestMean options, TrainingContext context)
    {
        TrainingCheck.Counts(data, context);
        var cosine = options.Metric == DistanceMetric.Cosine;
        // Vectors of length 1 make the cosine a product with the mean's direction, which a linear head can score.
        using var prepared = PreparedRows.Of(data, cosine ? ScalingKind.L2 : options.Scaling, context);
        var rows = prepared.Rows;
        var sums = ClassSums.Of(rows, data.ClassCount, null, context.Threads, context.Cancellation);
        var (weights, bias) = (new double[data.ClassCount * rows.Length], new double[data.ClassCount]);
        for (var k = 0; k < data.ClassCount; k++)
        {
            var mean = sums.Mean(k);
            var square = mean.Sum(m => m * m);
            // A mean of zero has no direction: every vector is at cosine 0 from it.
            var factor =
                !cosine ? 1
                : square > 0 ? 1 / Math.Sqrt(square)
                : 0;
            for (var d = 0; d < mean.Length; d++)
                weights[k * mean.Length + d] = factor * mean[d];
            bias[k] = cosine ? 0 : -0.5 * square;
        }

        return LinearHead.Create(
            Name,
            weights,
            bias,
            prepared.Scaling,
            LinearLink.Softmax,
            options,
            new FitReport { RelativeGap = 0, Iterations = 1 }
        );
    }
}
