using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>
/// Multinomial logistic regression, the objective of scikit-learn's LogisticRegression: C times the sum of cross-entropies plus half the
/// squared weights; the intercept is free. Two classes share one weight vector, as there.
/// </summary>
internal sealed class SoftmaxTrainer() : IterativeTrainer(new Softmax())
{
    public override string Name => "softmax";

    public override string Summary => "multinomial logistic regression, scikit-learn's LogisticRegression";

    private protected override double BiasPenalty => 0;

    private protected override LinearLink Link => LinearLink.Softmax;

    // The softmax of (-z / 2, z / 2) is the logistic function of z.
    private protected override double BinaryShare => 0.5;

    private protected override MarginLoss Loss(int classCount) => classCount == 2 ? new LogisticLoss() : new SoftmaxLoss();

    private protected override LossWeights Weights(float[] classWeights, string text, int[] counts) => LossWeights.ByRow(classWeights);
}
