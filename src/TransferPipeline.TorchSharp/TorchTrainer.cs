using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.TorchSharp;

/// <summary>What the trainers of this adapter do alike.</summary>
internal static class TorchTrainer
{
    /// <param name="hidden">Widths of the hidden layers.</param>
    public static (DenseNetwork Network, FeatureScaling Scaling, FitReport Fit) Train(
        string name,
        int[] hidden,
        TrainingRows data,
        TorchOptions options,
        TrainingContext context
    )
    {
        var counts = TrainingCheck.Counts(data, context);
        var scaling = FeatureScaling.Fit(options.Scaling, data.X, data.Rows, context.Threads);
        var weights = ClassWeights.OfOrNull(name, options, counts, data.ClassNames);
        var start = DenseNetwork.Create([data.X.Columns, .. hidden, data.ClassCount], context.Seed);
        var order = new EpochOrder(data, options.Views == ViewUse.All, context.Seed);
        var (network, fit) = new TorchTraining(name, options, context).Run(start, data, scaling, order, weights);
        return (network, scaling, fit);
    }
}
