using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

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
