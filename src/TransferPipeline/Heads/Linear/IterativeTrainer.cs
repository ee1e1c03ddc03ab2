using System.Globalization;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// What softmax, logistic and linear-svm share: a loss of linear outputs minimized by <see cref="LbfgsSolver"/> along a path of C.
/// </summary>
internal abstract partial class IterativeTrainer : HeadPathTrainer<IterativeOptions>, IStreamingTrainer
{
    private protected IterativeTrainer(IterativeOptions defaults)
        : base(defaults) { }

    public override string PathOption => "C";

    private protected abstract double BiasPenalty { get; }

    private protected abstract LinearLink Link { get; }

    protected override IReadOnlyList<IHead> FitPath(TrainingRows data, IReadOnlyList<IterativeOptions> path, TrainingContext context)
    {
        var options = path[0];
        var counts = TrainingCheck.Counts(data, context);
        using var prepared = PreparedRows.Of(data, options.Scaling, context);
        var rows = prepared.Rows;
        var reduction = RowReduction.Pays(rows) ? RowReduction.Shared(data, prepared, context) : null;
        using var solved = reduction?.Rows ?? rows;
        var weights = Weights(options, counts, data.ClassNames);
        var classes = OutputClasses(data.ClassCount);
        using var objective = new LinearObjective(solved, Loss(data.ClassCount), classes.Length, context.Threads, context.Cancellation)
        {
            Weights = weights,
            BiasPenalty = options.FitIntercept ? BiasPenalty : null,
        };
        using var parameters = new FloatBuffer((long)classes.Length * objective.Stride);
        var heads = new IHead[path.Count];
        using var preconditioner = new AdaptivePreconditioner(context.Threads);
        // Duals of the last C start linear-svm. The other heads start from solutions, of which an
        // extrapolation needs two.
        var start = Starter(objective, classes, context);

        var solutions = start is null && path.Count > 2 ? new PathStart() : null;

        // From small to large C, each start extrapolated from the solutions before.
        foreach (var index in Enumerable.Range(0, path.Count).OrderBy(i => path[i].C))
        {
            var chosen = path[index];
            // The parameters still hold the last solution: a warm start.
            objective.Weights = weights.Times(chosen.C);
            var starts = start?.Invoke(objective.Weights, chosen.Tolerance, parameters);
            solutions?.Extrapolate(chosen.C, parameters);
            var result = Solve(new(objective, preconditioner, context.Threads), classes, parameters, chosen, starts);
            solutions?.Add(chosen.C, parameters);
            heads[index] = Finish(
                result,
                parameters,
                objective.Stride,
                objective.Bias,
                data.ClassCount,
                chosen,
                prepared.Scaling,
                reduction,
                context
            );
        }

        return heads;
    }

    private protected abstract MarginLoss Loss(int classCount);

    private protected abstract LossWeights Weights(float[] classWeights, string text, int[] counts);

    /// <summary>Turns the single output of two classes into one column per class.</summary>
    private protected abstract double BinaryShare { get; }

    /// <summary>Finds a better start than the last solution, and reports how far each output is from its optimum there.</summary>
    /// <param name="weights">C included.</param>
    /// <param name="tolerance">Relative gap at which an output needs nothing more.</param>
    /// <param name="parameters">Overwritten by the start.</param>
    private protected delegate OutputStart[] PathStarter(LossWeights weights, double tolerance, FloatBuffer parameters);

    private protected virtual PathStarter? Starter(LinearObjective objective, int[] classes, TrainingContext context) => null;

    // Two classes need one output: the other one's weights are its negative.
    private static int[] OutputClasses(int classCount) => classCount == 2 ? [1] : [.. Enumerable.Range(0, classCount)];

    private static unsafe SolveResult Solve(
        LbfgsSolver solver,
        int[] classes,
        FloatBuffer parameters,
        IterativeOptions options,
        OutputStart[]? starts = null
    ) => solver.Solve(classes, parameters.Pointer, options.Tolerance, options.MaxIterations, starts);

    private LossWeights Weights(IterativeOptions options, int[] counts, IReadOnlyList<string> names) =>
        Weights(ClassWeights.Of(Name, options, counts, names), options.ClassWeight, counts);

    private LinearHead Finish(
        SolveResult result,
        FloatBuffer parameters,
        int stride,
        int dimension,
        int classCount,
        IterativeOptions options,
        FeatureScaling scaling,
        RowReduction? reduction,
        TrainingContext context
    )
    {
        if (!result.Converged)
        {
            // Fewer than allowed: float32's rounding leaves no step that lowers the objective.
            var advice = result.Iterations < options.MaxIterations ? "rounding allows no smaller one: raise tol" : "raise max_iter";
            context.Warn(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Name} with C={options.C:R} stopped after {result.Iterations} iterations at a relative gap of "
                        + $"{result.Gap / result.Objective:0.#E+0} (tol {options.Tolerance:R}); {advice} or scale the vectors"
                )
            );
        }

        var fit = new FitReport
        {
            Objective = result.Objective,
            // An objective of 0 is optimal; the gap must not be NaN there.
            RelativeGap = result.Gap / Math.Max(result.Objective, double.Epsilon),
            Iterations = result.Iterations,
            Passes = result.Passes,
            Converged = result.Converged,
        };
        var outputs = OutputClasses(classCount).Length;
        var (solved, constants) = Read(parameters, stride, dimension, outputs);
        if (reduction is not null)
            solved = reduction.Expand(solved, outputs, context.Threads);
        if (outputs < classCount)
            (solved, constants) = (
                [.. solved.Select(v => -BinaryShare * v), .. solved.Select(v => BinaryShare * v)],
                [-BinaryShare * constants[0], BinaryShare * constants[0]]
            );
        return LinearHead.Create(Name, solved, constants, scaling, Link, options, fit);
    }

    private static unsafe (double[] Weights, double[] Bias) Read(FloatBuffer parameters, int stride, int dimension, int outputs)
    {
        var (weights, bias) = (new double[(long)outputs * dimension], new double[outputs]);
        for (var k = 0; k < outputs; k++)
        {
            var from = parameters.Pointer + (nint)k * stride;
            for (var d = 0; d < dimension; d++)
                weights[(long)k * dimension + d] = from[d];
            bias[k] = from[dimension];
        }

        return (weights, bias);
    }
}
