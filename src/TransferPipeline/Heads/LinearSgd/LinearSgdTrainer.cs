using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.Heads;

/// <summary>One linear layer trained as in the PyTorch tutorials: batches, SGD with momentum and StepLR or Adam, the best weights kept.</summary>
public sealed class LinearSgdTrainer : IHeadTrainer
{
    public string Name => "linear-sgd";

    public string Summary => "one linear layer, mean cross-entropy by SGD with momentum and StepLR or by Adam, in epochs (torch.nn.Linear)";

    public string? Unavailable => null;

    public IReadOnlyList<HeadOption> Options { get; } = TrainingOptions.Declare("sgd", "0.001", "4", "25", "none");

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        var options = TrainingOptions.Read(settings);
        var scaling = FeatureScaling.Fit(FeatureScaling.Parse(settings.Text("scaling")), data.X, data.Rows, context.Threads);
        var weights = ClassWeights.OfOrNull(settings, counts, data.ClassNames);
        var network = DenseNetwork.Create([data.X.Columns, data.ClassCount], context.Seed);
        var order = new EpochOrder(data, settings.Text("views") == "all", context.Seed);
        var (trained, fit) = new NetworkTraining(network, data, scaling, options, weights, context) { Name = Name }.Run(order.Rows);
        var layer = trained.Layers[0];
        return LinearHead.Create(
            Name, Array.ConvertAll(layer.Weights, w => (double)w), Array.ConvertAll(layer.Bias, b => (double)b),
            scaling, LinearLink.Softmax, settings, fit);
    }
}
