using System.Text.Json.Serialization;
using TransferPipeline.Features;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>Everything that a comparison found; the JSON output and the report show these numbers and no others.</summary>
public sealed record Comparison
{
    // A member with the keyword required must be as visible as its type;
    // of internal ones the reader demands a value instead.
    [JsonInclude, JsonRequired]
    internal Provenance Provenance { get; init; } = null!;

    [JsonInclude, JsonRequired]
    internal DataSummary Data { get; init; } = null!;

    /// <summary>How heads were evaluated: <c>split</c>, <c>k-fold</c> or <c>repeated k-fold</c>, with its parameters in words.</summary>
    public required string Protocol { get; init; }

    /// <summary>What the heads that are kept, and can be exported, were trained on.</summary>
    [JsonInclude, JsonRequired]
    internal TrainingSplits Training { get; init; } = null!;

    /// <summary>One sentence: the best head, what is tied with it, by which test.</summary>
    public required string Verdict { get; init; }

    /// <summary>One result per head (and feature set), in the order requested.</summary>
    public required IReadOnlyList<HeadResult> Heads { get; init; }

    /// <summary>The paired test of each pair of heads.</summary>
    public IReadOnlyList<PairedTest> Tests { get; init; } = [];

    [JsonInclude]
    internal IReadOnlyList<SweepCurve> Sweeps { get; init; } = [];

    [JsonInclude]
    internal IReadOnlyList<FewShotCurve> FewShot { get; init; } = [];

    [JsonInclude]
    internal DataCheck? DataCheck { get; init; }

    [JsonInclude]
    internal FeatureMap? Map { get; init; }

    /// <summary>What a reader should know, one line each: fits that did not converge, sweeps that end at an edge, heads left out.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Requested heads that cannot be trained on this data; each has a line among the warnings.</summary>
    [JsonInclude]
    internal IReadOnlyList<LeftOutHead> LeftOut { get; init; } = [];
}

/// <param name="Name">The trainer's name.</param>
/// <param name="Title">As the comparison would have called it.</param>
/// <param name="FeatureSet">Index into <see cref="Provenance.FeatureSets"/>.</param>
/// <param name="Reason">Why it cannot be trained.</param>
internal sealed record LeftOutHead(string Name, string Title, int FeatureSet, string Reason);

/// <param name="Command">The command line that made it.</param>
/// <param name="FeatureSets">One line per feature set: folder, model, cut, dimensions, recipe.</param>
/// <param name="Versions">Name and version of the program and of each library that shaped a number.</param>
internal sealed record Provenance(
    string Command,
    int Seed,
    IReadOnlyList<FeatureSetSummary> FeatureSets,
    IReadOnlyDictionary<string, string> Versions
);

/// <param name="ExtractionSeconds">Wall time that its extraction took, NaN when unknown.</param>
internal sealed record FeatureSetSummary(
    string Folder,
    string Model,
    string Cut,
    int Dimension,
    double ExtractionSeconds,
    IReadOnlyDictionary<string, string> Recipe
);

/// <param name="Counts">Photos per split (key) and class (index into Classes).</param>
internal sealed record DataSummary(IReadOnlyList<string> Classes, IReadOnlyDictionary<string, int[]> Counts)
{
    /// <summary>That of <see cref="FeatureData.PhotosSha256"/>; null in comparisons of earlier versions.</summary>
    public string? PhotosSha256 { get; init; }
}

/// <param name="Splits">The splits that a head was trained on.</param>
/// <param name="Watched">The split on which heads that keep their best epoch watched their progress, or null.</param>
internal sealed record TrainingSplits(IReadOnlyList<string> Splits, string? Watched);

/// <summary>An estimate with its 95 % interval.</summary>
public readonly record struct ConfidenceInterval(double Value, double Low, double High);

/// <summary>One head on one feature set.</summary>
public sealed record HeadResult
{
    /// <summary>The trainer's name, such as <c>linear-svm</c>.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// The name with what differs from others of that name, such as <c>linear-svm C=0.01</c> or the feature set's folder.
    /// </summary>
    public required string Title { get; init; }

    /// <summary>The shortest name that no other head has: without the options that all heads of its trainer share.</summary>
    public required string ShortName { get; init; }

    /// <summary><see cref="ShortName"/> without the feature set, which is a field of its own.</summary>
    [JsonIgnore]
    public string NameOnOneSet
    {
        // JSON does not have it: of a comparison that was read, the short name is the nearest that there is.
        get => field ?? ShortName;
        init;
    }

    /// <summary>The title with chosen values in the place of sweeps: <c>softmax C=0.3162</c>.</summary>
    public required string ChosenTitle { get; init; }

    /// <summary><see cref="ChosenTitle"/> without <see cref="Name"/>; JSON does not have it.</summary>
    internal string ChosenSettings { get; init; } = "";

    /// <summary>Index into <see cref="Provenance.FeatureSets"/>.</summary>
    public int FeatureSet { get; init; }

    /// <summary>Hyper-parameters used, defaults included.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>Share of correct predictions, with Wilson's interval (on folds the t interval of the corrected resampled test).</summary>
    public required ConfidenceInterval Accuracy { get; init; }

    /// <summary>Mean of the recalls of the classes, with a bootstrap interval.</summary>
    public required ConfidenceInterval BalancedAccuracy { get; init; }

    /// <summary>Mean of the F1 scores of the classes, with a bootstrap interval.</summary>
    public required ConfidenceInterval MacroF1 { get; init; }

    /// <summary>NaN with fewer than six classes.</summary>
    public double Top5 { get; init; } = double.NaN;

    /// <summary>Mean of -log of the probability of the true class, in nats; NaN without probabilities.</summary>
    public double LogLoss { get; init; } = double.NaN;

    /// <summary>Expected calibration error of the top probability, 15 equal-width bins (Guo et al. 2017).</summary>
    public double CalibrationError { get; init; } = double.NaN;

    /// <summary>The same after temperature scaling; NaN when not requested.</summary>
    public double CalibrationErrorScaled { get; init; } = double.NaN;

    /// <summary><see cref="LogLoss"/> after temperature scaling; NaN when not requested.</summary>
    public double LogLossScaled { get; init; } = double.NaN;

    /// <summary>Probabilities to the power 1 / Temperature, normalized, are the scaled ones; NaN when not requested.</summary>
    public double Temperature { get; init; } = double.NaN;

    /// <summary>
    /// What a probability of zero, as shares of votes have them, counts as in temperature scaling; NaN when not requested.
    /// </summary>
    public double TemperatureZero { get; init; } = double.NaN;

    /// <summary>Wall time of choosing among the values of its sweeps; 0 without sweeps.</summary>
    public double SweepSeconds { get; init; }

    /// <summary>Wall time of one fit, alone, on all threads; with folds of the fit on all their photos; NaN of a head that came with its
    /// backbone.</summary>
    public double FitSeconds { get; init; }

    /// <summary>For all evaluated photos together.</summary>
    public double PredictSeconds { get; init; }

    /// <summary>Number of values that the head learnt or stores.</summary>
    public long ParameterCount { get; init; }

    /// <summary><see cref="FitReport.Objective"/> of the fit.</summary>
    public double Objective { get; init; } = double.NaN;

    /// <summary><see cref="FitReport.RelativeGap"/> of the fit.</summary>
    public double RelativeGap { get; init; } = double.NaN;

    /// <summary><see cref="FitReport.Iterations"/> of the fit.</summary>
    public int Iterations { get; init; }

    /// <summary><see cref="FitReport.Converged"/> of the fit.</summary>
    public bool Converged { get; init; } = true;

    /// <summary>True for the best head and for those not significantly worse (Holm-corrected).</summary>
    public bool TiedWithBest { get; init; }

    /// <summary>Holm-adjusted p-value of the paired test against the best; NaN for the best itself.</summary>
    public double PValue { get; init; } = double.NaN;

    /// <summary>K x K counts, row = true class, column = predicted.</summary>
    public required int[][] Confusion { get; init; }

    /// <summary>One result per class, in the order of the classes.</summary>
    public required IReadOnlyList<ClassResult> PerClass { get; init; }

    [JsonInclude]
    internal IReadOnlyList<CalibrationBin> Calibration { get; init; } = [];

    /// <summary>The same after temperature scaling; empty when not requested.</summary>
    [JsonInclude]
    internal IReadOnlyList<CalibrationBin> CalibrationScaled { get; init; } = [];

    /// <summary>Losses and accuracies per epoch of heads that train in epochs; empty for the others.</summary>
    [JsonInclude]
    internal IReadOnlyList<EpochRecord> History { get; init; } = [];

    /// <summary>The most confident wrong predictions, worst first, at most 24.</summary>
    [JsonInclude]
    internal IReadOnlyList<Mistake> Mistakes { get; init; } = [];

    /// <summary>Accuracy in each fold; empty on a fixed split.</summary>
    public double[] FoldAccuracies { get; init; } = [];
}

/// <summary>What McNemar's test on a split, or the corrected resampled t-test on folds, shows of two heads.</summary>
/// <param name="First">Index into <see cref="Comparison.Heads"/>.</param>
/// <param name="Second">Index into <see cref="Comparison.Heads"/>.</param>
/// <param name="Difference">Accuracy of the first minus that of the second.</param>
/// <param name="OnlyFirstRight">Predictions that only the first has right; with repeated folds a photo has one per repeat.</param>
/// <param name="OnlySecondRight">Predictions that only the second has right.</param>
/// <param name="PValue">Of this pair alone.</param>
/// <param name="AdjustedPValue">After Holm's correction over all pairs.</param>
public sealed record PairedTest(
    int First,
    int Second,
    double Difference,
    int OnlyFirstRight,
    int OnlySecondRight,
    double PValue,
    double AdjustedPValue
);

/// <summary>One class under one head.</summary>
/// <param name="Name">The class.</param>
/// <param name="Support">Photos of the class among those evaluated.</param>
/// <param name="Precision">Share of predictions of the class that are right; not a number where there is none.</param>
/// <param name="Recall">Share of its photos that are found; not a number where it has none.</param>
/// <param name="F1">Harmonic mean of precision and recall; not a number where the class has no photo.</param>
public sealed record ClassResult(string Name, int Support, double Precision, double Recall, double F1);

/// <param name="Confidence">Mean top probability in the bin.</param>
internal sealed record CalibrationBin(double Low, double High, int Count, double Confidence, double Accuracy);

/// <summary>A wrong prediction.</summary>
/// <param name="Path">The photo.</param>
/// <param name="Label">Its class.</param>
/// <param name="Predicted">The class that the head gave.</param>
/// <param name="Probability">Probability of the predicted class.</param>
internal sealed record Mistake(string Path, string Label, string Predicted, double Probability);

/// <param name="Head">The head's <see cref="HeadResult.Title"/>.</param>
/// <param name="Parameter">The option that was swept, such as C.</param>
/// <param name="Values">Values that were tried: numbers ascending, names in the order given.</param>
/// <param name="Scores">Mean accuracy of each value, with the other swept options as chosen.</param>
/// <param name="OnEdge">The chosen value is the smallest or largest one tried, and the option has others beyond it; names have no
/// edge.</param>
internal sealed record SweepCurve(
    string Head,
    string Parameter,
    SweepValue[] Values,
    double[] Scores,
    double[] StandardErrors,
    SweepValue Chosen,
    bool OnEdge,
    string ChosenBy
);

/// <param name="Head">The head's <see cref="HeadResult.Title"/>.</param>
/// <param name="PerClass">Training photos per class; a class that has fewer gives all.</param>
/// <param name="Accuracy">Mean over the draws with its 95 % t interval, NaN where the head cannot be trained on so few; the evaluated
/// photos are the same in all draws of a part.</param>
internal sealed record FewShotCurve(string Head, int[] PerClass, ConfidenceInterval[] Accuracy, int Draws);

internal sealed record DataCheck
{
    /// <summary>Cosine from which two photos count as near-duplicates.</summary>
    public double NearDuplicateCosine { get; init; } = double.NaN;

    /// <summary>Number of pairs; <see cref="NearDuplicates"/> lists the most alike, at most 200.</summary>
    public int NearDuplicateCount { get; init; }

    /// <summary>Number of suspect labels; <see cref="SuspectLabels"/> lists the most suspect, at most 100.</summary>
    public int SuspectLabelCount { get; init; }

    /// <summary>Short name of the head whose out-of-fold probabilities make labels suspect.</summary>
    public string SuspectLabelsBy { get; init; } = "";

    /// <summary>Evaluated photos (counted once per repeat) with a near-duplicate among the photos trained on.</summary>
    public int EvaluatedWithDuplicate { get; init; }

    public IReadOnlyList<NearDuplicate> NearDuplicates { get; init; } = [];

    public IReadOnlyList<SuspectLabel> SuspectLabels { get; init; } = [];

    public IReadOnlyList<Outlier> Outliers { get; init; } = [];

    /// <summary>Best head's accuracy on all evaluated photos and on those without a near-duplicate in the training split.</summary>
    public double AccuracyWithDuplicates { get; init; } = double.NaN;

    public double AccuracyWithoutDuplicates { get; init; } = double.NaN;
}

internal sealed record NearDuplicate(string PathA, string SplitA, string LabelA, string PathB, string SplitB, string LabelB, double Cosine);

/// <param name="Probability">Out-of-fold probability of the given label.</param>
internal sealed record SuspectLabel(
    string Path,
    string Split,
    string Label,
    string Suggested,
    double Probability,
    double SuggestedProbability
);

/// <param name="Score">Mean cosine distance to its nearest neighbours.</param>
internal sealed record Outlier(string Path, string Split, string Label, double Score);

/// <summary>Two-dimensional maps of (a stratified sample of) the photos of one feature set.</summary>
/// <param name="FeatureSet">Index into <see cref="Provenance.FeatureSets"/>.</param>
/// <param name="ExplainedVariance">Share of the sample's variance along the two principal components.</param>
/// <param name="Embedding">Name and settings of the neighbour embedding.</param>
internal sealed record FeatureMap(IReadOnlyList<MapPoint> Points, int FeatureSet, double[] ExplainedVariance, string Embedding);

/// <param name="Class">Index into the classes.</param>
/// <param name="PcaX">First principal component.</param>
/// <param name="EmbeddingX">Neighbour embedding.</param>
internal sealed record MapPoint(string Path, int Class, string Split, double PcaX, double PcaY, double EmbeddingX, double EmbeddingY);
