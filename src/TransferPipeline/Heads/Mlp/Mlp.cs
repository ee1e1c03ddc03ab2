using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.Heads;

/// <summary>Hidden layers with ReLU and dropout, scikit-learn's MLPClassifier with PyTorch's solvers.</summary>
public sealed record Mlp : EpochOptions
{
    /// <summary>Adam on standardized vectors.</summary>
    public Mlp() => (Solver, Scaling) = (EpochSolver.Adam, ScalingKind.Standard);

    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new MlpTrainer();

    /// <summary>Widths of the hidden layers, such as <c>512,128</c>.</summary>
    [Option("hidden_layer_sizes", "widths of the hidden layers, such as 512,128")]
    public IReadOnlyList<int> HiddenLayerSizes { get; init; } = [128];

    /// <summary>Share of hidden values set to zero in training.</summary>
    [Option("dropout", "share of hidden values set to zero in training", Min = 0, Max = 0.99)]
    public double Dropout { get; init; }

    internal override double HiddenDropout => Dropout;

    /// <summary>Whether all options are the same, the widths by their values.</summary>
    // A record compares a list by its reference, so options read from equal texts would differ.
    public bool Equals(Mlp? other) =>
        base.Equals(other) && Dropout == other.Dropout && HiddenLayerSizes.SequenceEqual(other.HiddenLayerSizes);

    /// <inheritdoc/>
    // The number of widths suffices for a hash: Equals compares the widths themselves.
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Dropout, HiddenLayerSizes.Count);
}
