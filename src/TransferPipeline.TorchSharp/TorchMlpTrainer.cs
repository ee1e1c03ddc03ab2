using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.TorchSharp;

/// <summary>Hidden layers with ReLU and dropout trained by libtorch.</summary>
internal sealed class TorchMlpTrainer() : HeadTrainer<TorchMlp>(new TorchMlp())
{
    public override string Name => "torch-mlp";

    public override string Summary =>
        "TorchSharp: hidden layers with ReLU and dropout, mean cross-entropy; Adam, SGD with momentum and StepLR, or L-BFGS";

    public override string? Unavailable => TorchRuntime.Unavailable;

    public override string? Missing => TorchRuntime.Missing;

    protected override IHead Fit(TrainingRows data, TorchMlp options, TrainingContext context)
    {
        int[] hidden = [.. options.HiddenLayerSizes];
        var (network, scaling, fit) = TorchTrainer.Train(Name, hidden, data, options, context);
        return new MlpHead(network, scaling, options, fit);
    }
}
