using TransferPipeline.Onnx;

namespace TransferPipeline.Heads.Common;

/// <summary>A trained classifier on vectors of length <see cref="Dimension"/>.</summary>
public interface IHead
{
    /// <summary>The trainer's name.</summary>
    string Name { get; }

    /// <summary>Number of classes K.</summary>
    int ClassCount { get; }

    /// <summary>Values per vector D.</summary>
    int Dimension { get; }

    /// <summary>Number of values that were learnt (for knn: stored).</summary>
    long ParameterCount { get; }

    /// <summary>The options it was trained with, defaults included.</summary>
    HeadOptions Options { get; }

    /// <summary>How the fit ended.</summary>
    FitReport Fit { get; }

    /// <summary>
    /// Scores of the given rows: rows.Length x ClassCount, row-major. Larger is more likely and the first largest is the prediction:
    /// scikit-learn's decision_function where there is one (one column per class, two classes included), else probabilities.
    /// A vector with NaN has scores of NaN; heads of neighbours and of trees, whose scores would not show it, refuse it.
    /// </summary>
    /// <exception cref="BadInputException">NaN or infinity, in a head of neighbours or of trees (row named).</exception>
    void Score(FeatureMatrix x, ReadOnlySpan<int> rows, Span<float> scores, int threads = 1);

    /// <summary>
    /// Turns the scores of rows into probabilities in place (softmax, normalized sigmoids, ... as the head documents). Monotone: the
    /// prediction stays.
    /// </summary>
    void ToProbabilities(Span<float> scores);

    /// <summary>Null when it can be written as ONNX; otherwise the reason.</summary>
    string? NotExportable { get; }

    /// <summary>Appends the head: from an N x D float tensor to N x K probabilities.</summary>
    /// <returns>Name of the probabilities' tensor.</returns>
    string Export(IGraphWriter graph, string features);
}

/// <summary>How a fit ended.</summary>
public sealed record FitReport
{
    /// <summary>Value of the documented objective at the solution, NaN where there is none.</summary>
    public double Objective { get; init; } = double.NaN;

    /// <summary>Upper bound (or estimate) of (objective - optimum) / |optimum|; 0 for closed forms, NaN where there is none.</summary>
    public double RelativeGap { get; init; } = double.NaN;

    /// <summary>Steps of the solver, or epochs; 0 for closed forms.</summary>
    public int Iterations { get; init; }

    /// <summary>Times that the rows were read; 0 where it is not counted.</summary>
    public int Passes { get; init; }

    /// <summary>Whether the solver's tolerance was reached.</summary>
    public bool Converged { get; init; } = true;

    /// <summary>Per-epoch record of iterative heads; empty for the others.</summary>
    internal IReadOnlyList<EpochRecord> History { get; init; } = [];
}

/// <summary>One epoch: mean loss and accuracy on the training and the validation rows (NaN without validation rows).</summary>
internal sealed record EpochRecord(int Epoch, double TrainLoss, double TrainAccuracy, double ValidationLoss, double ValidationAccuracy);
