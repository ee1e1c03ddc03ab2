using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>
/// Logistic regression of each class against the rest, the objective of scikit-learn's LogisticRegression(multi_class="ovr") with its lbfgs
/// or newton-cg solver: the intercept is free (its liblinear solver would penalize it). Balanced class weights are those of each binary
/// problem.
/// </summary>
internal sealed class LogisticTrainer() : IterativeTrainer(new Logistic())
{
    public override string Name => "logistic";

    public override string Summary =>
        "logistic regression, one class against the rest, scikit-learn's LogisticRegression(multi_class=\"ovr\")";

    private protected override double BiasPenalty => 0;

    private protected override LinearLink Link => LinearLink.NormalizedSigmoids;

    private protected override double BinaryShare => 1;

    private protected override MarginLoss Loss(int classCount) => new LogisticLoss();

    private protected override LossWeights Weights(float[] classWeights, string text, int[] counts)
    {
        if (text != ClassWeights.Balanced)
            return LossWeights.ByRow(classWeights);
        var (total, one) = ((double)counts.Sum(), Array.ConvertAll(counts, _ => 1f));
        return new(
            one,
            Array.ConvertAll(counts, n => (float)(total / (2.0 * n))),
            Array.ConvertAll(counts, n => (float)(total / (2.0 * (total - n))))
        );
    }
}
