using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>Multinomial logistic regression, scikit-learn's LogisticRegression.</summary>
public sealed record Softmax() : IterativeOptions(c: 1)
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new SoftmaxTrainer();
}
