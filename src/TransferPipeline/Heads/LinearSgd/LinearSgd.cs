using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.Heads;

/// <summary>One linear layer trained in epochs as in the PyTorch tutorials.</summary>
public sealed record LinearSgd : EpochOptions
{
    /// <summary>The tutorials' batch of 4 and 25 epochs.</summary>
    public LinearSgd() => (BatchSize, Epochs) = (4, 25);

    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new LinearSgdTrainer();
}
