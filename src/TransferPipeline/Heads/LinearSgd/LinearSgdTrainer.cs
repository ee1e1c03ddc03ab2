using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.Heads;

/// <summary>
/// One linear layer trained as in the PyTorch tutorials: batches, SGD with momentum and StepLR or Adam, the best weights kept.
/// </summary>
internal sealed class LinearSgdTrainer() : HeadTrainer<LinearSgd>(new LinearSgd())
{
    public override string Name => "linear-sgd";

    public override string Summary =>
        "one linear layer, mean cross-entropy by SGD with momentum and StepLR or by Adam, in epochs (torch.nn.Linear)";

    protected override IHead Fit(TrainingRows data, LinearSgd options, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        var scaling = FeatureScaling.Fit(options.Scaling, data.X, data.Rows, context.Threads);
        var weights = ClassWeights.OfOrNull(Name, options, counts, data.ClassNames);
        var network = DenseNetwork.Create([data.X.Columns, data.ClassCount], context.Seed);
        var order = new EpochOrder(data, options.Views == ViewUse.All, context.Seed);
        var (trained, fit) = new NetworkTraining(network, data, scaling, options, weights, context) { Name = Name }.Run(order.Rows);
        // One layer is a linear classifier: it ends as the head that all linear trainers share.
        var layer = trained.Layers[0];
        return LinearHead.Create(
            Name,
            Array.ConvertAll(layer.Weights, w => (double)w),
            Array.ConvertAll(layer.Bias, b => (double)b),
            scaling,
            LinearLink.Softmax,
            options,
            fit
        );
    }
}
