using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// When rows are fewer than values, an optimal weight vector is a combination of the rows, so the problem is solved in their space: with
/// X X^T = L L^T, the rows of L (N values each) take the place of the vectors, lengths of weights stay the same, and w = X^T L^-T v.
/// </summary>
internal sealed unsafe class RowReduction
{
    /// <summary>Rows must be fewer than this share of the values for the rotation to pay.</summary>
    private const double MostShare = 0.75;

    /// <summary>Added to the diagonal, relative to its mean: lets repeated rows (views of one photo) through.</summary>
    private const double Jitter = 1e-10;

    private readonly RowSet _original;
    private readonly Cholesky _factor;

    private RowReduction(RowSet original, Cholesky factor, RowSet rows) => (_original, _factor, Rows) = (original, factor, rows);

    /// <summary>The rows of L, with the original labels.</summary>
    public RowSet Rows { get; }

    public static bool Pays(RowSet rows) => rows.Count < MostShare * rows.Length;

    /// <summary>The reduction of rows, which all heads on them share.</summary>
    public static RowReduction Shared(TrainingRows data, PreparedRows prepared, TrainingContext context)
    {
        var kind = prepared.Scaling.Kind;
        return context
            .Scope.Cache<ReductionCache>()
            .Reductions.Get(new(data.X, data.Rows, kind), () => Of(data, kind, prepared.Rows, context));
    }

    /// <param name="rows">Those of <paramref name="data"/>, scaled by <paramref name="scaling"/>.</param>
    public static RowReduction Of(TrainingRows data, ScalingKind scaling, RowSet rows, TrainingContext context)
    {
        var n = rows.Count;
        var gram = SharedGram.ByRows(data, scaling, rows, context);
        var trace = 0.0;
        for (var i = 0; i < n; i++)
            trace += gram[(long)i * n + i];
        for (var i = 0; i < n; i++)
            // Rows that are all 0 need a diagonal as well.
            gram[(long)i * n + i] += Jitter * (trace > 0 ? trace / n : 1);
        var factor =
            Cholesky.Factor(gram, n, context.Threads, context.Cancellation)
            ?? throw new BadInputException(
                "the vectors' products with each other cannot be factored; their values are too far apart in size, so scale them "
                    + "(scaling=standard)"
            );
        return new(rows, factor, RowSet.LowerTriangle(gram, n, rows.Labels));
    }

    /// <summary>Weights for the original vectors, outputs x D, from those of the reduced ones (outputs x N).</summary>
    public double[] Expand(double[] reduced, int outputs, int threads)
    {
        var n = Rows.Count;
        var solved = (double[])reduced.Clone();
        _factor.SolveTransposed(solved, outputs, threads);
        var factors = new double[n * outputs];
        for (var k = 0; k < outputs; k++)
        {
            for (var i = 0; i < n; i++)
                factors[i * outputs + k] = solved[k * n + i];
        }

        using var original = _original;
        return RowCombination.Of(original, factors, outputs, null, threads);
    }

    private sealed class ReductionCache
    {
        public OnceCache<RowsKey, RowReduction> Reductions { get; } = new();
    }
}
