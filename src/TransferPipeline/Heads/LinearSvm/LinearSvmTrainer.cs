using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>
/// Linear support vector machine, one class against the rest, the objective of scikit-learn's LinearSVC (LIBLINEAR -s 2): C times the sum
/// of squared hinges plus half the squared weights, the intercept among them (intercept_scaling 1, LIBLINEAR's -B 1). A class weight counts
/// for the class's own rows in its own problem, as in LIBLINEAR. Probabilities are the softmax of the scores and uncalibrated.
/// </summary>
internal sealed class LinearSvmTrainer() : IterativeTrainer(new LinearSvm())
{
    public override string Name => "linear-svm";

    public override string Summary => "support vector machine, squared hinge, one class against the rest, scikit-learn's LinearSVC";

    private protected override double BiasPenalty => 1;

    private protected override LinearLink Link => LinearLink.Softmax;

    private protected override double BinaryShare => 1;

    private protected override MarginLoss Loss(int classCount) => new SquaredHingeLoss();

    private protected override LossWeights Weights(float[] classWeights, string text, int[] counts)
    {
        var one = Array.ConvertAll(classWeights, _ => 1f);
        // The one problem of two classes has own rows of both, so each row has the weight of its class.
        return counts.Length == 2 ? LossWeights.ByRow(classWeights) : new(one, classWeights, one);
    }

    private protected override unsafe PathStarter Starter(LinearObjective objective, int[] classes, TrainingContext context)
    {
        var descent = new DualCoordinateDescent(objective.Rows, classes, objective.BiasPenalty is not null, context.Threads);
        return (weights, tolerance, parameters) => descent.Run(weights, tolerance, parameters.Pointer, objective.Stride, context);
    }
}
