using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>
/// Linear discriminant analysis with a shrunk covariance, scikit-learn's LinearDiscriminantAnalysis(solver="lsqr"): each class's covariance
/// is shrunk by itself (Ledoit and Wolf 2004 on the class's standardized vectors for <c>auto</c>) and they are averaged by the priors.
/// Where no class has three rows, so that there is nothing to estimate a share from, scikit-learn's is 0 and its answer chance; here
/// <c>auto</c> is then 1: the classes' means alone.
/// </summary>
internal sealed class LdaTrainer() : HeadTrainer<Lda>(new Lda())
{
    public override string Name => "lda";

    public override string Summary => "linear discriminant analysis with a shrunk covariance, scikit-learn's LinearDiscriminantAnalysis";

    protected override IHead Fit(TrainingRows data, Lda options, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        var shrinkage = options.Shrinkage.Share;
        if (data.Rows.Length == data.ClassCount)
            Throw.BadInput(
                $"{Name}: every class has one training row only, so there is no covariance to estimate; take nearest-mean, or add rows"
            );
        using var prepared = PreparedRows.Of(data, options.Scaling, context);
        var rows = prepared.Rows;
        var sums = ClassSums.Of(rows, data.ClassCount, null, context.Threads, context.Cancellation);
        var priors = Array.ConvertAll(
            counts,
            n => options.Priors == ClassPriors.Uniform ? 1.0 / counts.Length : (double)n / data.Rows.Length
        );
        var dimension = rows.Length;
        var means = new double[data.ClassCount * dimension];
        for (var k = 0; k < data.ClassCount; k++)
            sums.Mean(k).CopyTo(means, k * dimension);
        var covariance = ClassCovariance.Pooled(rows, means, priors, shrinkage, context);
        // Before the factorization, which may succeed on rounding.
        RequireVariance(covariance, means, dimension);

        var weights = (double[])means.Clone();
        var factor = Cholesky.Factor(covariance, dimension, context.Threads, context.Cancellation);
        if (factor is null)
            Throw.BadInput(
                $"{Name}: the covariance with shrinkage={options.Shrinkage} is singular (constant values, or too few rows); "
                    + $"{(shrinkage is null ? "set a share, such as shrinkage=0.1" : "use shrinkage=auto or a larger share")}"
            );
        // With S the covariance and m a class's mean, the score is m' S^-1 x - m' S^-1 m / 2 + ln prior.
        factor.Solve(weights, data.ClassCount, context.Threads);
        var bias = new double[data.ClassCount];
        for (var k = 0; k < data.ClassCount; k++)
        {
            for (var d = 0; d < dimension; d++)
                bias[k] -= 0.5 * means[k * dimension + d] * weights[k * dimension + d];
            bias[k] += Math.Log(priors[k]);
        }

        if (data.ClassCount == 2)
            Symmetrize(weights, bias);
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

    /// <summary>Shrinkage moves variance between dimensions; where none is, no share helps.</summary>
    private void RequireVariance(double[] covariance, double[] means, int dimension)
    {
        // Rounding of equal values leaves some 1e-16 of their squares.
        const double Rounding = 1e-14;
        var largest = 0.0;
        for (var d = 0; d < dimension; d++)
            largest = Math.Max(largest, covariance[d * dimension + d]);
        var scale = means.Length == 0 ? 0 : means.Max(Math.Abs);
        if (largest <= Rounding * scale * scale)
            Throw.BadInput(
                $"{Name}: the vectors of each class are all equal, so there is no variance inside classes; take nearest-mean, or "
                    + $"other photos"
            );
    }

    /// <summary>Two scores of opposite sign with the same difference, as the other heads have.</summary>
    private static void Symmetrize(double[] weights, double[] bias)
    {
        var dimension = weights.Length / 2;
        for (var d = 0; d < dimension; d++)
        {
            var half = (weights[dimension + d] - weights[d]) / 2;
            (weights[d], weights[dimension + d]) = (-half, half);
        }

        var constant = (bias[1] - bias[0]) / 2;
        (bias[0], bias[1]) = (-constant, constant);
    }
}
