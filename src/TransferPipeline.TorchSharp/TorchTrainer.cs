using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.TorchSharp;

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
        var weights = ClassWeights.OfOrNull(settings, counts, data.ClassNames);
        var start = DenseNetwork.Create([data.X.Columns, .. hidden, data.ClassCount], context.Seed);
        var order = new EpochOrder(data, settings.Text("views") == "all", context.Seed);
        var (network, fit) = new TorchTraining(trainer.Name, TorchOptions.Read(settings), context).Run(start, data, scaling, order, weights);
        return (network, scaling, fit);
    }
}
