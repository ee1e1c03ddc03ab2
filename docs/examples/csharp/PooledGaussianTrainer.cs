using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace Example;

/// <summary>
/// A head of one's own: a Gaussian a class with one variance a value for all classes (naive Bayes with pooled variances), which is linear.
/// </summary>
public sealed class PooledGaussianTrainer : IHeadTrainer
{
    public string Name => "pooled-gaussian";

    public string Summary => "Gaussians with pooled variances";

    public string? Unavailable => null;

    public IReadOnlyList<HeadOption> Options { get; } =
        [new("smoothing", HeadOptionKind.Number, "0.1", "Added to each variance, as a share of the largest.") { Minimum = 0 }];

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context)
    {
        var (classes, dimension) = (data.ClassCount, data.X.Columns);
        var (counts, means, variances) = (new int[classes], new double[classes * dimension], new double[dimension]);
        foreach (var row in data.Rows)
        {
            counts[data.Y[row]]++;
            for (var d = 0; d < dimension; d++)
                means[data.Y[row] * dimension + d] += data.X.Row(row)[d];
        }

        for (var i = 0; i < means.Length; i++)
            means[i] /= counts[i / dimension];
        foreach (var row in data.Rows)
        {
            for (var d = 0; d < dimension; d++)
                variances[d] += Math.Pow(data.X.Row(row)[d] - means[data.Y[row] * dimension + d], 2) / data.Rows.Length;
        }

        var floor = settings.Number("smoothing") * variances.Max();
        var (weights, bias) = (new double[means.Length], new double[classes]);
        for (var k = 0; k < classes; k++)
        {
            bias[k] = Math.Log((double)counts[k] / data.Rows.Length);
            for (var d = 0; d < dimension; d++)
            {
                var (i, variance) = (k * dimension + d, variances[d] + floor);
                weights[i] = means[i] / variance;
                bias[k] -= means[i] * means[i] / (2 * variance);
            }
        }

        return LinearHead.Create(Name, weights, bias, FeatureScaling.None, LinearLink.Softmax, settings, new FitReport { RelativeGap = 0 });
    }
}
