using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Scaling;
using TransferPipeline.Heads.Training;

namespace TransferPipeline.TorchSharp;

/// <summary>One linear layer trained by libtorch.</summary>
internal sealed class TorchLinearTrainer : IHeadTrainer
{
    public string Name => "torch-linear";

    public string Summary => "TorchSharp: one linear layer, mean cross-entropy; Adam, SGD with momentum and StepLR, or L-BFGS";

    public string? Unavailable => TorchRuntime.Unavailable;

    public IReadOnlyList<HeadOption> Options { get; } = TorchOptions.Declare("0.001", "20", "none");

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context)
    {
        var (network, scaling, fit) = TorchTrainer.Train(this, [], data, settings, context);
        var layer = network.Layers[0];
        return LinearHead.Create(
            Name, Array.ConvertAll(layer.Weights, w => (double)w), Array.ConvertAll(layer.Bias, b => (double)b), scaling, LinearLink.Softmax, settings, fit);
    }
}

/// <summary>What the trainers of this adapter do alike.</summary>
internal static class TorchTrainer
{
    /// <param name="hidden">Widths of the hidden layers.</param>
    public static (DenseNetwork Network, FeatureScaling Scaling, FitReport Fit) Train(
        IHeadTrainer trainer, int[] hidden, TrainingRows data, HeadSettings settings, TrainingContext context)
    {
        if (trainer.Unavailable is { } reason)
            throw new UsageException($"head '{trainer.Name}' is not available: {reason}");
        var counts = TrainingCheck.Counts(data, context);
        var scaling = FeatureScaling.Fit(FeatureScaling.Parse(settings.Text("scaling")), data.X, data.Rows, context.Threads);
        var weights = settings.Text("class_weight") == "none" ? null : ClassWeights.Parse(trainer.Name, settings.Text("class_weight"), counts);
        var start = DenseNetwork.Create([data.X.Columns, .. hidden, data.ClassCount], context.Seed);
        var order = new EpochOrder(data, settings.Text("views") == "all", context.Seed);
        var (network, fit) = new TorchTraining(trainer.Name, TorchOptions.Read(settings), context).Run(start, data, scaling, order, weights);
        return (network, scaling, fit);
    }
}
