using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>Logistic regression, one class against the rest.</summary>
public sealed record Logistic() : IterativeOptions(c: 1)
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new LogisticTrainer();
}
