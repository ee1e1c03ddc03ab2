using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;

namespace TransferPipeline.Jobs;

/// <summary>How heads are compared, as users give it.</summary>
public sealed record EvaluationSection
{
    /// <summary><c>split</c> or <c>k-fold</c>.</summary>
    public string Protocol { get; init; } = "split";

    /// <summary>The split that is reported.</summary>
    public string On { get; init; } = Splits.Validation;

    public int Folds { get; init; } = 10;

    public int Repeats { get; init; } = 1;

    /// <summary>What chooses the values of sweeps: <c>inner-folds</c>, or <c>validation</c> when test is reported.</summary>
    public string ChooseBy { get; init; } = "inner-folds";

    /// <summary>Let heads that keep their best epoch watch the reported split, as the tutorials do; warned of.</summary>
    public bool WatchReportedSplit { get; init; }

    /// <summary>Keep near-duplicates in one fold.</summary>
    public bool GroupNearDuplicates { get; init; }

    /// <summary>Cosine of two vectors from which their photos count as near-duplicates.</summary>
    public double NearDuplicateCosine { get; init; } = ComparisonOptions.DefaultNearDuplicateCosine;

    /// <summary>Training photos a class of the few-shot curve; empty for none.</summary>
    public IReadOnlyList<int> FewShot { get; init; } = [];

    public int Draws { get; init; } = 5;

    /// <summary>Temperature scaling, with the calibration error before and after.</summary>
    public bool Calibrate { get; init; }

    /// <summary>Near-duplicates, suspect labels and outliers.</summary>
    public bool DataCheck { get; init; }
}
