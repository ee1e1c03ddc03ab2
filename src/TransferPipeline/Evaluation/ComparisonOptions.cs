using TransferPipeline.Datasets;

namespace TransferPipeline.Evaluation;

/// <summary>Which photos choose among the values of a sweep; never those that are reported.</summary>
public enum ChooseBy
{
    /// <summary>Stratified folds inside the training part.</summary>
    InnerFolds,

    /// <summary>The validation split; only when another split (test) is what is reported.</summary>
    Validation,
}

/// <summary>How heads are compared.</summary>
public sealed record ComparisonOptions
{
    internal const string Train = Splits.Train;
    internal const string Validation = Splits.Validation;
    internal const string Test = Splits.Test;

    /// <summary>
    /// Of 3,409 photos of clothes one pair reaches it, the same photo twice; copies that lost a few pixels at the border and a fifth of
    /// their size have 0.87 to 0.997.
    /// </summary>
    public const double DefaultNearDuplicateCosine = 0.95;

    /// <summary>Determines folds, bootstrap draws, few-shot draws and the heads' own seeds.</summary>
    public int Seed { get; init; }

    /// <summary>Threads to use; no number but the seconds depends on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>The split whose photos are reported when there are no folds; heads are trained on split train.</summary>
    [Option("on", "The split that is reported.", Words = $"{Validation}|{Test}")]
    public string ScoreSplit { get; init; } = Validation;

    /// <summary>Number of stratified folds; 0 scores on a split instead.</summary>
    [Option("folds", "Stratified k-fold instead of the split; 0 for the split.", Min = 2)]
    public int Folds { get; init; }

    /// <summary>How often the k-fold is repeated with other folds.</summary>
    [Option("repeats", "Repetitions of the k-fold.", Min = 1)]
    public int Repeats { get; init; } = 1;

    /// <summary>Splits whose photos are pooled for the folds; empty: all but test.</summary>
    public IReadOnlyList<string> FoldSplits { get; init; } = [];

    /// <summary>Keep photos together in a fold when they are near-duplicates of each other.</summary>
    [Option("group-near-duplicates", "Keep near-duplicates in one fold.")]
    public bool GroupNearDuplicates { get; init; }

    /// <summary>
    /// Cosine of two vectors from which their photos count as near-duplicates; lower finds cropped and recompressed copies too, and more
    /// that only look alike.
    /// </summary>
    [Option("near-duplicate-cosine", "Cosine of two vectors from which their photos count as near-duplicates.", Min = 0.5, Max = 1)]
    public double NearDuplicateCosine { get; init; } = DefaultNearDuplicateCosine;

    /// <summary>Which photos choose the values of sweeps.</summary>
    [Option(
        "choose-by",
        "What chooses the values of sweeps: folds inside the training part, or the validation split when test is reported."
    )]
    public ChooseBy ChooseBy { get; init; } = ChooseBy.InnerFolds;

    /// <summary>Folds inside a training part, for sweeps and temperatures; fewer when a class has fewer photos.</summary>
    public int InnerFolds { get; init; } = 5;

    /// <summary>
    /// Let heads that keep their best epoch watch the reported split, as tutorials do. The figures are then optimistic, which is warned of.
    /// Otherwise they watch the validation split if another one is reported, and nothing if not.
    /// </summary>
    [Option("watch-reported-split", "Let heads that keep their best epoch watch the reported split, as tutorials do.")]
    public bool WatchReportedSplit { get; init; }

    /// <summary>Bootstrap draws for the intervals of balanced accuracy and macro F1.</summary>
    public int BootstrapDraws { get; init; } = 2000;

    /// <summary>
    /// Fit a temperature on out-of-fold predictions of the training part, and report the calibration error before and after.
    /// </summary>
    [Option("calibrate", "Temperature scaling, with the calibration error before and after.")]
    public bool Calibrate { get; init; }

    /// <summary>Numbers of training photos per class for few-shot curves; empty for none.</summary>
    [Option("few-shot", "Training photos per class of a few-shot curve, as in 1 2 4 8 16.", Min = 1)]
    public IReadOnlyList<int> FewShotPerClass { get; init; } = [];

    /// <summary>Repeated draws for each point of a few-shot curve.</summary>
    [Option("draws", "Random draws per point of the few-shot curve.", Min = 1)]
    public int FewShotDraws { get; init; } = 5;

    /// <summary>Look for near-duplicates, suspect labels and outliers.</summary>
    [Option("data-check", "Look for near-duplicates, suspect labels and outliers.", CommandName = "check-data")]
    public bool CheckData { get; init; }

    /// <summary>Make the two-dimensional maps.</summary>
    public bool Map { get; init; }

    /// <summary>The command line, for the provenance.</summary>
    internal string Command { get; init; } = "";

    /// <summary>Names and versions of the libraries that shaped a number, for the provenance.</summary>
    internal IReadOnlyDictionary<string, string> Versions { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Receives a line as each piece of work begins.</summary>
    internal Action<string> Progress { get; init; } = static _ => { };

    internal CancellationToken Cancellation { get; init; }

    /// <summary>The option that contradicts the others, and why; null where all agree. No photo is needed to find it.</summary>
    internal (string Option, string Problem)? Contradiction =>
        Folds is not 0 and < 2 ? ("folds", $"--folds is {Folds}, expected at least 2, or 0 for the split")
        : Folds > 0 && Repeats < 1 ? ("repeats", $"{Repeats} repeats of the folds; use at least 1")
        : Folds == 0 && Repeats > 1
            ? ("repeats", $"{Repeats} repeats need folds, and there are none: add --folds (in a pipeline protocol: k-fold)")
        // A head that is evaluated on what it was fitted to looks better than it is.
        : Folds == 0 && ScoreSplit == Train ? ("on", "split train cannot be reported: heads are trained on it; choose another or use folds")
        : Folds > 0 && ScoreSplit != Validation
            ? (
                "on",
                $"folds evaluate all photos but those of test in turn, so split {ScoreSplit} cannot be reported with them; "
                    + "leave out one of the two"
            )
        : ChooseBy == ChooseBy.Validation && (Folds > 0 || ScoreSplit == Validation)
            ? (
                "choose-by",
                "the validation split cannot choose values when it is what is reported: report split test, or choose by inner folds"
            )
        : FewShotPerClass.Where(n => n < 1).ToArray() is [var few, ..]
            ? ("few-shot", $"few-shot is {few}, expected at least one photo per class")
        : FewShotPerClass.Count > 0 && FewShotDraws < 1 ? ("draws", $"draws is {FewShotDraws}, expected at least 1")
        : null;
}
