using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>Support vector machine with squared hinge, one class against the rest, scikit-learn's LinearSVC.</summary>
public sealed record LinearSvm() : IterativeOptions(c: 0.01)
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new LinearSvmTrainer();
}
