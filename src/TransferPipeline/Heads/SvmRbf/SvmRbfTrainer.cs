using System.Globalization;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Support vector machines with a Gaussian kernel, one for each pair of classes: scikit-learn's SVC, LIBSVM's C-SVC.</summary>
internal sealed class SvmRbfTrainer() : HeadTrainer<SvmRbf>(new SvmRbf())
{
    /// <summary>Rows up to which the whole kernel matrix is kept: 1.6 GB.</summary>
    private const int MostMatrixRows = 20_000;

    /// <summary>Kept kernel rows of all pairs in work together, above that.</summary>
    private const long RowCacheBytes = 1L << 30;

    /// <summary>LIBSVM's limit of iterations.</summary>
    private const int LeastIterationLimit = 10_000_000;

    private const int RowBlock = 256;

    public override string Name => "svm-rbf";

    public override string Summary =>
        "support vector machines with a Gaussian kernel, one against one (SVC, LIBSVM); probabilities are a softmax of votes and not "
        + "calibrated";

    protected override IHead Fit(TrainingRows data, SvmRbf options, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        var scaling = FeatureScaling.Fit(options.Scaling, data.X, data.Rows, context.Threads);
        var weights = ClassWeights.Of(Name, options, counts, data.ClassNames);
        var bounds = Array.ConvertAll(weights, w => w * options.C);

        // Class after class, each in the order of its rows, so that a pair of classes is two runs of every kernel row.
        var rows = data.Rows.OrderBy(row => data.Y[row]).ToArray();
        var x = scaling.Apply(data.X, rows, context.Threads);
        var gamma = Value(options.Gamma, x, context);
        if (!float.IsFinite((float)gamma))
            Throw.BadInput(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"svm-rbf: gamma is {gamma:0.0e+0}, which is too large for float32: the vectors' values are too small; set "
                        + $"scaling=standard"
                )
            );
        var pairs = Pairs(counts, bounds);
        var solutions = Solve(x, pairs, gamma, options.Tolerance, context);
        if (solutions.Count(s => !s.Converged) is > 0 and var failed)
        {
            var tolerance = options.Tolerance.ToString("R", CultureInfo.InvariantCulture);
            context.Warn(
                $"svm-rbf: {failed} of {pairs.Length} pairs of classes did not reach tol ({tolerance}); raise tol or choose another scaling"
            );
        }

        var fit = new FitReport
        {
            Objective = solutions.Sum(s => s.Primal),
            RelativeGap = solutions.Sum(s => s.Primal - s.Dual) / solutions.Sum(s => s.Dual),
            Iterations = solutions.Sum(s => s.Iterations),
            Converged = solutions.All(s => s.Converged),
        };
        return new SvmRbfHead(SvmModel.Create(x, counts, pairs, solutions, gamma), scaling, options, fit);
    }

    private static double Value(Gamma gamma, FeatureMatrix x, TrainingContext context)
    {
        if (gamma.Value is { } value)
            return value;
        if (gamma == Gamma.Auto)
            return 1.0 / x.Columns;
        var variance = Variance(x, context);
        // As SVC: 1 where all values are equal.
        return variance > 0 ? 1 / (x.Columns * variance) : 1;
    }

    /// <summary>Of all values together, as SVC's gamma='scale' takes it.</summary>
    private static double Variance(FeatureMatrix x, TrainingContext context)
    {
        var blocks = Blocks.Count(x.Rows, RowBlock);
        var (sums, squares) = (new double[blocks], new double[blocks]);
        Blocks.For(
            x.Rows,
            RowBlock,
            context.Threads,
            (block, start, end) =>
            {
                for (var i = start; i < end; i++)
                {
                    foreach (var value in x.Row(i))
                        sums[block] += value;
                }
            },
            context.Cancellation
        );
        var count = (double)x.Rows * x.Columns;
        // Around the mean in a second pass: the mean square less the squared mean would cancel where the mean is large.
        var mean = sums.Sum() / count;
        Blocks.For(
            x.Rows,
            RowBlock,
            context.Threads,
            (block, start, end) =>
            {
                for (var i = start; i < end; i++)
                {
                    foreach (var value in x.Row(i))
                        squares[block] += (value - mean) * (value - mean);
                }
            },
            context.Cancellation
        );
        return squares.Sum() / count;
    }

    private static PairProblem[] Pairs(int[] counts, double[] bounds)
    {
        var starts = new int[counts.Length];
        for (var c = 1; c < counts.Length; c++)
            starts[c] = starts[c - 1] + counts[c - 1];
        return
        [
            .. from i in Enumerable.Range(0, counts.Length)
            from j in Enumerable.Range(i + 1, counts.Length - i - 1)
            select new PairProblem(starts[i], counts[i], starts[j], counts[j], bounds[i], bounds[j]),
        ];
    }

    private static PairSolution[] Solve(FeatureMatrix x, PairProblem[] pairs, double gamma, double tolerance, TrainingContext context)
    {
        var solutions = new PairSolution[pairs.Length];
        if (x.Rows <= MostMatrixRows)
        {
            using var matrix = new RbfKernelMatrix(x, gamma, context.Threads, context.Cancellation);
            Blocks.For(
                pairs.Length,
                1,
                context.Threads,
                (_, p, _) => solutions[p] = SolvePair(matrix, pairs[p], tolerance, context),
                context.Cancellation
            );
            return solutions;
        }

        // Threads share either the pairs or, when there is one pair, its kernel rows.
        var inner = pairs.Length == 1 ? context.Threads : 1;
        Blocks.For(
            pairs.Length,
            1,
            context.Threads,
            (_, p, _) =>
            {
                var pair = pairs[p];
                int[] members = [.. Enumerable.Range(0, pair.Count).Select(pair.KernelRow)];
                using var rows = new RbfKernelRows(
                    x,
                    members,
                    gamma,
                    // As many pairs as there are threads are in work at most; they share the memory.
                    RowCacheBytes / Math.Min(pairs.Length, Math.Max(1, context.Threads)),
                    inner
                );
                // These kernel rows are numbered inside the pair.
                solutions[p] = SolvePair(rows, pair with { First = 0, Second = pair.FirstCount }, tolerance, context);
            },
            context.Cancellation
        );
        return solutions;
    }

    private static PairSolution SolvePair(IKernelRows kernel, PairProblem pair, double tolerance, TrainingContext context) =>
        new SmoSolver(kernel, pair).Solve(
            tolerance,
            // LIBSVM's limit: ten million steps, or 100 per row where these are more.
            Math.Max(LeastIterationLimit, 100 * Math.Min(pair.Count, int.MaxValue / 100)),
            context.Cancellation
        );
}
