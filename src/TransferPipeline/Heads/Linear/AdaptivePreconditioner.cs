using System.Numerics.Tensors;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// Approximates the Hessian of every output by one matrix, identity + X^T diag(s) X with s each row's second derivative averaged over the
/// outputs, and inverts that by Cholesky. It is built only once as much work was spent on passes as building costs: easy problems are done
/// before, hard ones and those with many outputs gain several times its cost.
/// </summary>
/// <param name="mostLength">Longer vectors go without: of 25,088 values the matrix and its factor would take 12 GB and minutes.</param>
internal sealed unsafe class AdaptivePreconditioner(int threads, int mostLength = 8192) : IPreconditioner, IDisposable
{
    /// <summary>Multiply-adds of a factorization count more than those of a pass.</summary>
    private const double FactorWork = 2;

    /// <summary>The factor is made again when this many times its cost was spent on passes since.</summary>
    private const double Refresh = 4;

    private readonly record struct Spent(int Passes, double Work);

    private TriangularFactor? _factor;
    private Spent _spent;
    private bool _useless;

    public bool Ready => _factor is not null;

    public bool IsScaled => true;

    /// <summary>
    /// Builds the matrix at the objective's current point if that pays; what was made from a sample stays for streamed rows.
    /// </summary>
    public void Update(ILinearObjective any, float* w)
    {
        if (any is not LinearObjective objective)
            return;
        var work = _spent.Work + (objective.Passes - _spent.Passes) * objective.PassWork;
        _spent = new(objective.Passes, work);
        double length = objective.Rows.Length,
            rows = objective.Rows.Count;
        // Half of the products of columns, by symmetry, and n^3 / 6 multiply-adds of a Cholesky factorization.
        var cost = 0.5 * rows * length * length + FactorWork * length * length * length / 6;
        if (_useless || work < cost * (Ready ? Refresh : 1))
            return;
        _spent = new(objective.Passes, 0);
        Make(objective);
    }

    public void Require(ILinearObjective objective)
    {
        if (!Ready && !_useless && objective is LinearObjective inMemory)
            Make(inMemory);
    }

    /// <summary>Builds the matrix at the objective's current point.</summary>
    public void Make(LinearObjective objective)
    {
        var made = objective.Rows.Length > mostLength ? null : Build(objective);
        // Where it cannot be made it is not tried again at each step. A factor that was made before still serves: every
        // positive definite matrix does.
        _useless = made is null && _factor is null;
        if (made is null)
            return;
        _factor?.Dispose();
        _factor = made;
    }

    /// <summary>to = M^-1 from, for <paramref name="outputs"/> parameter rows.</summary>
    public void Apply(float* from, float* to, int outputs) => _factor!.Solve(from, to, outputs, threads);

    public void Dispose() => _factor?.Dispose();

    private TriangularFactor? Build(LinearObjective objective)
    {
        var rows = objective.Rows;
        var length = rows.Length;
        var curvatures = objective.RowCurvatures();
        var gram = new float[(long)length * length];
        // float32 suffices: an approximation changes the number of steps, not the optimum.
        GramMatrix<float>.Add(rows, null, curvatures, gram, threads);
        var bias = objective.BiasPenalty is not null;
        var n = bias ? length + 1 : length;
        var matrix = new double[(long)n * n];
        for (var i = 0; i < length; i++)
        {
            TensorPrimitives.ConvertTruncating<float, double>(gram.AsSpan(i * length, i + 1), matrix.AsSpan(i * n));
            // The Hessian of half the squared weights.
            matrix[(long)i * n + i] += 1;
        }

        if (bias)
        {
            var last = (long)length * n;
            var sums = RowCombination.Of(rows, Array.ConvertAll(curvatures, c => (double)c), 1, null, threads);
            sums.CopyTo(matrix, last);
            matrix[last + length] = curvatures.Sum(c => (double)c);

            // Without any curvature left the free bias keeps a unit diagonal.
            matrix[last + length] = (objective.BiasPenalty ?? 0) + (matrix[last + length] > 0 ? matrix[last + length] * (1 + 1e-6) : 1);
        }

        return Cholesky.Factor(matrix, n, threads) is null ? null : new TriangularFactor(matrix, n, objective.Stride, threads);
    }
}
