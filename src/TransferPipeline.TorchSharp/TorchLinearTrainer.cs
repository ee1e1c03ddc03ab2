using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.TorchSharp;

/// <summary>One linear layer trained by libtorch.</summary>
internal sealed class TorchLinearTrainer() : HeadTrainer<TorchLinear>(new TorchLinear())
{
    public override string Name => "torch-linear";

    public override string Summary => "TorchSharp: one linear layer, mean cross-entropy; Adam, SGD with momentum and StepLR, or L-BFGS";

    public override string? Unavailable => TorchRuntime.Unavailable;

    public override string? Missing => TorchRuntime.Missing;

    protected override IHead Fit(TrainingRows data, TorchLinear options, TrainingContext context)
    {
        var (network, scaling, fit) = TorchTrainer.Train(Name, [], data, options, context);
        var layer = network.Layers[0];
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
