using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.Heads;

/// <summary>Hidden layers with ReLU and dropout: scikit-learn's MLPClassifier with PyTorch's solvers and initial weights.</summary>
internal sealed class MlpTrainer() : HeadTrainer<Mlp>(new Mlp())
{
    public override string Name => "mlp";

    public override string Summary =>
        "hidden layers with ReLU and dropout, mean cross-entropy by Adam or SGD, in epochs (MLPClassifier, torch.nn)";

    protected override IHead Fit(TrainingRows data, Mlp options, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        int[] widths = [data.X.Columns, .. options.HiddenLayerSizes, data.ClassCount];
        var scaling = FeatureScaling.Fit(options.Scaling, data.X, data.Rows, context.Threads);
        var weights = ClassWeights.OfOrNull(Name, options, counts, data.ClassNames);
        var network = DenseNetwork.Create(widths, context.Seed);
        var order = new EpochOrder(data, options.Views == ViewUse.All, context.Seed);
        var (trained, fit) = new NetworkTraining(network, data, scaling, options, weights, context) { Name = Name }.Run(order.Rows);
        return new MlpHead(trained, scaling, options, fit);
    }
}
