using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Support vector machines with a Gaussian kernel, one for each pair of classes, scikit-learn's SVC.</summary>
public sealed record SvmRbf : HeadOptions, IScaledHead, IWeightedHead
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new SvmRbfTrainer();

    /// <summary>Weight of the hinge losses.</summary>
    [Option("C", "weight of the hinge losses, as SVC's C", Min = 0, ExclusiveMin = true)]
    public double C { get; init; } = 10;

    /// <summary><c>scale</c>: 1 / (values x variance), <c>auto</c>: 1 / values, or a number.</summary>
    [Option("gamma", "scale: 1 / (values x variance), auto: 1 / values, or a number")]
    public Gamma Gamma { get; init; }

    /// <summary>Violation of the optimality conditions at which to stop.</summary>
    [Option("tol", "violation of the optimality conditions at which to stop (SVC's default is 0.001)", Min = 0, ExclusiveMin = true)]
    public double Tolerance { get; init; } = 0.0001;

    /// <summary>Whether the sum of decisions decides between classes of equal votes; otherwise the first class does, as in SVC.</summary>
    [Option("break_ties", "between classes of equal votes the sum of decisions decides; otherwise the first class, as SVC")]
    public bool BreakTies { get; init; }

    /// <inheritdoc/>
    public string ClassWeight { get; init; } = "none";

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }
}
