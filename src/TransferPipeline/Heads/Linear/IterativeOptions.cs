using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Linear;

/// <summary>Options that softmax, logistic and linear-svm share, with scikit-learn's names.</summary>
public abstract record IterativeOptions : HeadOptions, IScaledHead, IWeightedHead
{
    // The optimum to more digits costs passes over the rows and moves no prediction.
    private const double SearchTolerance = 1e-6;

    private protected IterativeOptions(double c) => C = c;

    /// <summary>Weight of the losses against the penalty.</summary>
    // C and its products with losses stay float32 numbers.
    [Option("C", "weight of the losses against the penalty; scikit-learn's and LIBLINEAR's C", Min = 1e-20, Max = 1e20)]
    public double C { get; init; }

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }

    /// <inheritdoc/>
    public string ClassWeight { get; init; } = "none";

    /// <summary>Whether scores have a constant term.</summary>
    [Option("fit_intercept", "whether scores have a constant term")]
    public bool FitIntercept { get; init; } = true;

    /// <summary>Relative gap to the optimal objective at which the solver stops.</summary>
    [Option("tol", "relative gap to the optimal objective at which the solver stops", Min = 1e-12, Max = 0.1)]
    public double Tolerance { get; init; } = 1e-8;

    /// <summary>Most iterations.</summary>
    [Option("max_iter", "most iterations", Min = 1)]
    public int MaxIterations { get; init; } = 1000;

    internal override HeadOptions ForSearch => Tolerance < SearchTolerance ? this with { Tolerance = SearchTolerance } : this;
}
