using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

/// <summary>What softmax, logistic and linear-svm share: a loss of linear outputs minimized by <see cref="LbfgsSolver"/> along a path of C.</summary>
public abstract partial class IterativeTrainer : IPathTrainer
{
    private protected IterativeTrainer(double c) =>
        Options =
        [
            LinearOptions.C(c), LinearOptions.Scaling, ClassWeights.Option, LinearOptions.FitIntercept, LinearOptions.Tolerance, LinearOptions.MaxIterations,
        ];

    public abstract string Name { get; }

    public abstract string Summary { get; }

    public string? Unavailable => null;

    public string PathOption => "C";

    public IReadOnlyList<HeadOption> Options { get; }

    private protected abstract double BiasPenalty { get; }

    private protected abstract LinearLink Link { get; }

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context) =>
        TrainPath(data, settings, [settings.Number(PathOption)], context)[0];

    public IReadOnlyList<IHead> TrainPath(TrainingRows data, HeadSettings settings, IReadOnlyList<double> values, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        foreach (var value in values)
            HeadSettings.Check(this, PathOption, value);
        var (scaling, rows) = PreparedRows.Of(data, settings, context);
        var reduction = RowReduction.Pays(rows)
            ? context.Shared.Get(new RowsKey("reduced " + scaling.Kind, data.X, data.Rows), () => RowReduction.Of(data, settings, rows, context))
            : null;
        var weights = Weights(settings, counts, data.ClassNames);
        var classes = OutputClasses(data.ClassCount);
        using var objective = new LinearObjective(reduction?.Rows ?? rows, Loss(data.ClassCount), classes.Length, context.Threads, context.Cancellation)
        {
            Weights = weights,
            BiasPenalty = settings.Flag("fit_intercept") ? BiasPenalty : double.NaN,
        };
        using var parameters = new FloatBuffer((long)classes.Length * objective.Stride);
        var heads = new IHead[values.Count];
        using var preconditioner = new AdaptivePreconditioner(context.Threads);
        var start = Starter(objective, classes, context);

        var path = start is null && values.Count > 2 ? new PathStart() : null;

        // From small to large C, each start foreseen from the solutions before.
        foreach (var index in Enumerable.Range(0, values.Count).OrderBy(i => values[i]))
        {
            var chosen = settings.With(PathOption, values[index]);
            objective.Weights = weights.Times(values[index]);
            var starts = start?.Invoke(objective.Weights, chosen.Number("tol"), parameters);
            path?.Foresee(values[index], parameters);
            var result = Solve(new(objective, preconditioner, context.Threads), classes, parameters, chosen, starts);
            path?.Add(values[index], parameters);
            heads[index] = Finish(result, parameters, objective.Stride, objective.Bias, data.ClassCount, chosen, scaling, reduction, context);
        }

        return heads;
    }

    private protected abstract MarginLoss Loss(int classCount);

    private protected abstract LossWeights Weights(float[] classWeights, string text, int[] counts);

    /// <summary>Turns the single output of two classes into one column a class.</summary>
    private protected abstract double BinaryShare { get; }

    /// <summary>Finds a better start than the last solution, and tells where each output stands there.</summary>
    /// <param name="weights">C included.</param>
    /// <param name="tolerance">Relative gap at which an output needs nothing more.</param>
    /// <param name="parameters">Overwritten by the start.</param>
    private protected delegate OutputStart[] PathStarter(LossWeights weights, double tolerance, FloatBuffer parameters);

    private protected virtual PathStarter? Starter(LinearObjective objective, int[] classes, TrainingContext context) => null;

    private static int[] OutputClasses(int classCount) => classCount == 2 ? [1] : [.. Enumerable.Range(0, classCount)];

    private static unsafe SolveResult Solve(LbfgsSolver solver, int[] classes, FloatBuffer parameters, HeadSettings settings, OutputStart[]? starts = null) =>
        solver.Solve(classes, parameters.Pointer, settings.Number("tol"), settings.Integer("max_iter"), starts);

    private LossWeights Weights(HeadSettings settings, int[] counts, IReadOnlyList<string> names) =>
        Weights(ClassWeights.Of(settings, counts, names), settings.Text(ClassWeights.Name), counts);

    private LinearHead Finish(
        SolveResult result, FloatBuffer parameters, int stride, int dimension, int classCount, HeadSettings settings, FeatureScaling scaling,
        RowReduction? reduction, TrainingContext context)
    {
        if (!result.Converged)
        {
            context.Warn(FormattableString.Invariant(
                $"{Name} with C={settings.Text(PathOption)} stopped after {result.Iterations} iterations at a relative gap of {result.Gap / result.Objective:0.#E+0} (tol {settings.Text("tol")}); raise max_iter or scale the vectors"));
        }

        var fit = new FitReport
        {
            Objective = result.Objective,
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
            (solved, constants) = ([.. solved.Select(v => -BinaryShare * v), .. solved.Select(v => BinaryShare * v)], [-BinaryShare * constants[0], BinaryShare * constants[0]]);
        return LinearHead.Create(Name, solved, constants, scaling, Link, settings, fit);
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
