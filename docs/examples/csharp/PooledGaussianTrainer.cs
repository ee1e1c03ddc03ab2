using TransferPipeline;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace Example;

/// <summary>
/// A head of one's own: a Gaussian per class with one variance per value for all classes (naive Bayes with pooled variances), which is
/// linear.
/// </summary>
public sealed record PooledGaussian : HeadOptions
{
    public override IHeadTrainer Trainer => new PooledGaussianTrainer();

    [Option("smoothing", "added to each variance, as a share of the largest", Min = 0)]
    public double Smoothing { get; init; } = 0.1;
}

/// <summary>Trains <see cref="PooledGaussian"/>.</summary>
public sealed class PooledGaussianTrainer() : HeadTrainer<PooledGaussian>(new PooledGaussian())
{
    public override string Name => "pooled-gaussian";

    public override string Summary => "Gaussians with pooled variances";

    protected override IHead Fit(TrainingRows data, PooledGaussian options, TrainingContext context)
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

        var floor = options.Smoothing * variances.Max();
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

        return LinearHead.Create(Name, weights, bias, FeatureScaling.None, LinearLink.Softmax, options, new FitReport { RelativeGap = 0 });
    }
}
