namespace TransferPipeline.Heads.Common;

/// <summary>A kind of classifier on vectors, by name: makes heads from training rows.</summary>
public interface IHeadTrainer
{
    /// <summary>Name in commands and pipelines: <c>softmax</c>, <c>linear-svm</c>, ...</summary>
    string Name { get; }

    /// <summary>One line for <c>transfer heads</c>: the objective and whose it is.</summary>
    string Summary { get; }

    /// <summary>Null when it can be used; otherwise the reason and the cure, one line.</summary>
    string? Unavailable { get; }

    /// <summary>
    /// As <see cref="Unavailable"/>, for lists: a large library is looked for but not loaded, so null may be followed by a reason why it
    /// does not load.
    /// </summary>
    string? Missing => Unavailable;

    /// <summary>As <see cref="IHead.NotExportable"/> of all its heads, known before one is trained.</summary>
    string? NotExportable => null;

    /// <summary>The head with the defaults of its options; the type of the record that it trains from.</summary>
    HeadOptions Defaults { get; }

    /// <summary>The options that it takes, with types, defaults and limits.</summary>
    internal IReadOnlyList<DeclaredOption> Options => DeclaredOption.Of(Defaults);

    /// <summary>Trains one head.</summary>
    /// <exception cref="UsageException">The options are another head's, or a value is out of range.</exception>
    /// <exception cref="BadInputException">The vectors cannot be trained on: one class only, NaN or infinity (row named).</exception>
    IHead Train(TrainingRows data, HeadOptions options, TrainingContext context);
}

/// <summary>A trainer for which many values of one option cost little more than one: C of softmax, alpha of ridge, k of knn.</summary>
internal interface IPathTrainer : IHeadTrainer
{
    /// <summary>The option that makes the path, such as <c>C</c>.</summary>
    string PathOption { get; }

    /// <summary>
    /// Trains one head for each value, in the order given; the same heads as <see cref="IHeadTrainer.Train"/> to the solver's tolerance.
    /// </summary>
    IReadOnlyList<IHead> TrainPath(TrainingRows data, HeadOptions options, IReadOnlyList<double> values, TrainingContext context);
}

/// <summary>The rows to train on: a subset of a matrix, without copying it.</summary>
/// <param name="X">N x D vectors of the whole set.</param>
/// <param name="Y">N class indices.</param>
/// <param name="Rows">The rows to train on, ascending.</param>
/// <param name="ClassCount">Number of classes K; every class must have a row among <paramref name="Rows"/>.</param>
public sealed record TrainingRows(FeatureMatrix X, int[] Y, int[] Rows, int ClassCount)
{
    /// <summary>Names of the classes, by which settings may call them; empty when they have none.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>Rows on which iterative heads watch their progress (best weights kept); empty when there are none.</summary>
    public int[] ValidationRows { get; init; } = [];

    /// <summary>
    /// The rows that this part and others like it are taken from, ascending (all folds of a cross-validation); null when there are none.
    /// Heads compute what depends on all rows once and take away what is held out; never changes a result but by rounding.
    /// </summary>
    public int[]? AllRows { get; init; }

    /// <summary>
    /// For each of the N rows of X a number that all views of one photo share; null when each row is a photo of its own.
    /// Heads that train in epochs show each photo once per epoch, in another view each time; the others take views as further rows.
    /// </summary>
    public int[]? Photos { get; init; }
}

/// <summary>What a training run may use and must obey.</summary>
public sealed record TrainingContext
{
    /// <summary>Threads to use; results do not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Determines all that is random in the fit.</summary>
    public int Seed { get; init; }

    /// <summary>Receives one-line warnings (not converged, best value on the edge).</summary>
    public Action<string> Warn { get; init; } = static _ => { };

    /// <summary>Ends the fit with <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>The most rows of the sample that a streamed fit starts from; null for as many as fit into about 100 MB.</summary>
    internal int? SampleRows { get; init; }

    /// <summary>
    /// Work shared between heads, folds and sweeps on the same matrix (scaled rows, Gram matrices, factorizations); never changes a result.
    /// </summary>
    // A new scope for each context: a fit outside a comparison shares nothing, and its caches end with it.
    internal ComparisonScope Scope { get; init; } = new();
}
