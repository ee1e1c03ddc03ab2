using TransferPipeline.Heads.Kernels;
using TransferPipeline.Heads.Scaling;

namespace TransferPipeline.Heads.Linear;

/// <summary>What softmax, logistic and linear-svm share: a loss of linear outputs minimized by <see cref="NewtonSolver"/> along a path of C.</summary>
public abstract class IterativeTrainer : IPathTrainer
{
    private protected IterativeTrainer(double c) =>
        Options =
        [
            LinearOptions.C(c), LinearOptions.Scaling, LinearOptions.ClassWeight, LinearOptions.FitIntercept, LinearOptions.Tolerance, LinearOptions.MaxIterations,
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
        {
            if (!(value > 0) || !double.IsFinite(value))
                Throw.Usage(FormattableString.Invariant($"{Name}: C is '{value}', expected a number greater than 0"));
        }

        var (scaling, rows) = PreparedRows.Of(data, settings, context);
        var reduction = RowReduction.Pays(rows)
            ? context.Shared.Get(new RowsKey("reduced " + scaling.Kind, data.X, data.Rows), () => RowReduction.Of(rows, context))
            : null;
        var weights = Weights(ClassWeights.Parse(Name, settings.Text("class_weight"), counts), settings.Text("class_weight"), counts);
        var classes = data.ClassCount == 2 ? [1] : Enumerable.Range(0, data.ClassCount).ToArray();
        using var objective = new LinearObjective(reduction?.Rows ?? rows, Loss(data.ClassCount), classes.Length, context.Threads, context.Cancellation)
        {
            Weights = weights,
            BiasPenalty = settings.Flag("fit_intercept") ? BiasPenalty : double.NaN,
        };
        using var parameters = new FloatBuffer((long)classes.Length * objective.Stride);
        var heads = new IHead[values.Count];

        using var preconditioner = new AdaptivePreconditioner(context.Threads);

        // From small to large C, each solution the start of the next.
        foreach (var index in Enumerable.Range(0, values.Count).OrderBy(i => values[i]))
            heads[index] = Solve(objective, preconditioner, weights, classes, parameters, settings.With(PathOption, values[index]), data.ClassCount, scaling, reduction, context);
        return heads;
    }

    private protected abstract MarginLoss Loss(int classCount);

    private protected abstract LossWeights Weights(float[] classWeights, string text, int[] counts);

    /// <summary>Turns the single output of two classes into one column a class.</summary>
    private protected abstract double BinaryShare { get; }

    private unsafe LinearHead Solve(
        LinearObjective objective, AdaptivePreconditioner preconditioner, LossWeights weights, int[] classes, FloatBuffer parameters, HeadSettings settings, int classCount,
        FeatureScaling scaling, RowReduction? reduction, TrainingContext context)
    {
        objective.Weights = weights.Times(settings.Number(PathOption));
        var result = new NewtonSolver(objective, preconditioner).Solve(classes, parameters.Pointer, settings.Number("tol"), settings.Integer("max_iter"));
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
            Converged = result.Converged,
        };
        var (solved, constants) = Read(objective, parameters, classes.Length);
        if (reduction is not null)
            solved = reduction.Expand(solved, classes.Length, context.Threads);
        if (classes.Length < classCount)
            (solved, constants) = ([.. solved.Select(v => -BinaryShare * v), .. solved.Select(v => BinaryShare * v)], [-BinaryShare * constants[0], BinaryShare * constants[0]]);
        return LinearHead.Create(Name, solved, constants, scaling, Link, settings, fit);
    }

    private static unsafe (double[] Weights, double[] Bias) Read(LinearObjective objective, FloatBuffer parameters, int outputs)
    {
        var (weights, bias) = (new double[(long)outputs * objective.Bias], new double[outputs]);
        for (var k = 0; k < outputs; k++)
        {
            var from = parameters.Pointer + (nint)k * objective.Stride;
            for (var d = 0; d < objective.Bias; d++)
                weights[(long)k * objective.Bias + d] = from[d];
            bias[k] = from[objective.Bias];
        }

        return (weights, bias);
    }
}
