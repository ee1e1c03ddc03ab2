using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>Least squares on targets of +1 and -1 with its Gram matrix, for many penalties.</summary>
internal abstract class RidgeProblem
{
    private protected RidgeProblem(ClassSums sums, bool intercept)
    {
        (Sums, Intercept) = (sums, intercept);
        Mean = intercept ? sums.Mean() : new double[sums.Dimension];
        Outputs = sums.Sums.Length == 2 ? [1] : Enumerable.Range(0, sums.Sums.Length).ToArray();
    }

    private protected ClassSums Sums { get; }

    private protected bool Intercept { get; }

    /// <summary>What is subtracted from the vectors: their weighted mean, or zeros without an intercept.</summary>
    private protected double[] Mean { get; }

    /// <summary>Classes that have a target; of two classes only the second.</summary>
    private protected int[] Outputs { get; }

    /// <param name="rows">Those of <paramref name="data"/>, scaled by <paramref name="options"/>.</param>
    public static RidgeProblem Create(TrainingRows data, Ridge options, RowSet rows, float[] classWeights, TrainingContext context)
    {
        var intercept = options.FitIntercept;
        // In the space of values folds share products of unweighted rows only: balanced weights differ between folds.
        var uniform = Array.TrueForAll(classWeights, w => w == 1);
        var sums = ClassSums.Of(rows, data.ClassCount, uniform ? null : classWeights, context.Threads, context.Cancellation);
        if (rows.Count < rows.Length)
            return new RidgeByRows(rows, sums, classWeights, intercept, SharedGram.ByRows(data, options.Scaling, rows, context));
        return uniform
            ? new RidgeByValues(sums, intercept, SharedGram.ByValues(data, options.Scaling, rows, intercept ? sums.Mean() : null, context))
            : new RidgeByValues(rows, sums, classWeights, intercept, context);
    }

    /// <summary>Weights (classes x D), biases and the objective's value.</summary>
    /// <param name="isLast">Whether this is the last penalty that the problem is solved for.</param>
    public (double[] Weights, double[] Bias, double Objective) Solve(double alpha, bool isLast, TrainingContext context)
    {
        var dimension = Sums.Dimension;
        var solution = SolveOutputs(alpha, isLast, context);
        var (weights, bias, objective) = (new double[Sums.Sums.Length * dimension], new double[Sums.Sums.Length], 0.0);
        for (var o = 0; o < Outputs.Length; o++)
        {
            var k = Outputs[o];
            var target = MeanTarget(k);
            var right = RightSide(k);
            var (product, shift) = (0.0, 0.0);
            for (var d = 0; d < dimension; d++)
            {
                var w = solution[o * dimension + d];
                weights[k * dimension + d] = w;
                if (Outputs.Length == 1)
                    weights[d] = -w;
                product += w * right[d];
                shift += w * Mean[d];
            }

            bias[k] = target - shift;
            if (Outputs.Length == 1)
                bias[0] = -bias[k];
            // At the optimum the squared errors and the penalty are y'y - w'X'y of centered y and X: no pass
            // over the rows is needed.
            objective += Sums.TotalWeight * (1 - target * target) - product;
        }

        return (weights, bias, objective);
    }

    /// <summary>Solutions for the outputs, Outputs.Length x D.</summary>
    private protected abstract double[] SolveOutputs(double alpha, bool isLast, TrainingContext context);

    /// <summary>What the targets of a class are centred by.</summary>
    private protected double MeanTarget(int k) => Intercept ? 2 * Sums.Weights[k] / Sums.TotalWeight - 1 : 0;

    /// <summary>Sum over rows of weight x target x (x - mean).</summary>
    private protected double[] RightSide(int k)
    {
        var right = new double[Sums.Dimension];
        for (var d = 0; d < right.Length; d++)
        {
            // With targets of 1 and -1 the sum is twice that of the class less that of all rows, which
            // is 0 around their mean.
            right[d] = 2 * Sums.Sums[k][d];
            if (Intercept)
            {
                right[d] -= 2 * Sums.Weights[k] * Mean[d];
                continue;
            }

            foreach (var sum in Sums.Sums)
                right[d] -= sum[d];
        }

        return right;
    }
}

/// <summary>Solves in the space of values: D x D.</summary>
internal sealed class RidgeByValues : RidgeProblem
{
    private readonly double[] _gram;

    public RidgeByValues(RowSet rows, ClassSums sums, float[] classWeights, bool intercept, TrainingContext context)
        : this(sums, intercept, new double[(long)rows.Length * rows.Length])
    {
        GramMatrix<double>.Add(
            rows,
            Intercept ? Mean : null,
            Array.ConvertAll(rows.Labels, label => classWeights[label]),
            _gram,
            context.Threads,
            context.Cancellation
        );
    }

    /// <param name="gram">D x D: sum of weight x (x - mean)(x - mean) transposed, or without the mean when there is no intercept.</param>
    public RidgeByValues(ClassSums sums, bool intercept, double[] gram)
        : base(sums, intercept) => _gram = gram;

    private protected override double[] SolveOutputs(double alpha, bool isLast, TrainingContext context)
    {
        var n = Sums.Dimension;
        var solution = new double[Outputs.Length * n];
        for (var o = 0; o < Outputs.Length; o++)
            RightSide(Outputs[o]).CopyTo(solution, o * n);
        RidgeSystem.Solve(_gram, n, alpha, solution, Outputs.Length, isLast, context);
        return solution;
    }
}

/// <summary>Solves in the space of rows: N x N; the weights are combinations of the rows.</summary>
internal sealed class RidgeByRows : RidgeProblem
{
    private readonly RowSet _rows;
    private readonly double[] _gram;
    private readonly double[] _roots;

    /// <param name="gram">Products of rows with rows, which are changed.</param>
    public RidgeByRows(RowSet rows, ClassSums sums, float[] classWeights, bool intercept, double[] gram)
        : base(sums, intercept)
    {
        var n = rows.Count;
        _rows = rows;
        // Half of a weight on either side: the matrix stays symmetric.
        _roots = Array.ConvertAll(rows.Labels, label => Math.Sqrt(classWeights[label]));
        _gram = gram;
        if (Intercept)
            RowGram.Centre(_gram, n, Array.ConvertAll(_roots, r => r * r));
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
                _gram[(long)i * n + j] *= _roots[i] * _roots[j];
        }
    }

    private protected override double[] SolveOutputs(double alpha, bool isLast, TrainingContext context)
    {
        var n = _rows.Count;
        var dual = new double[Outputs.Length * n];
        for (var o = 0; o < Outputs.Length; o++)
        {
            var mean = MeanTarget(Outputs[o]);
            for (var i = 0; i < n; i++)
                dual[o * n + i] = _roots[i] * ((_rows.Labels[i] == Outputs[o] ? 1 : -1) - mean);
        }

        RidgeSystem.Solve(_gram, n, alpha, dual, Outputs.Length, isLast, context);
        var factors = new double[n * Outputs.Length];
        for (var o = 0; o < Outputs.Length; o++)
        {
            for (var i = 0; i < n; i++)
                // The system was scaled by the roots on both sides, so its solution is too.
                factors[i * Outputs.Length + o] = _roots[i] * dual[o * n + i];
        }

        return RowCombination.Of(_rows, factors, Outputs.Length, Intercept ? Mean : null, context.Threads);
    }
}
