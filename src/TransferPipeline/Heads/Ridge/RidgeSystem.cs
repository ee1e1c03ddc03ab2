using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>Systems (G + alpha I) x = b.</summary>
internal static class RidgeSystem
{
    /// <summary>Replaces each row of b (count x n) by its solution.</summary>
    /// <param name="isLast">Whether no other alpha of a path needs the Gram matrix: the factorization then overwrites it.</param>
    public static void Solve(double[] gram, int n, double alpha, double[] b, int count, bool isLast, TrainingContext context)
    {
        var matrix = isLast ? gram : (double[])gram.Clone();
        for (var i = 0; i < n; i++)
            matrix[(long)i * n + i] += alpha;
        var factor =
            Cholesky.Factor(matrix, n, context.Threads, context.Cancellation)
            ?? throw new BadInputException(
                FormattableString.Invariant(
                    $"ridge: the vectors' Gram matrix plus alpha={alpha} is singular to working precision; take a larger alpha"
                )
            );
        factor.Solve(b, count, context.Threads);
    }
}
