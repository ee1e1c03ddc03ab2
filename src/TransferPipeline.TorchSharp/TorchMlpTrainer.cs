using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.TorchSharp;

/// <summary>Hidden layers with ReLU and dropout trained by libtorch.</summary>
internal sealed class TorchMlpTrainer : IHeadTrainer
{
    public string Name => "torch-mlp";

    public string Summary => "TorchSharp: hidden layers with ReLU and dropout, mean cross-entropy; Adam, SGD with momentum and StepLR, or L-BFGS";

    public string? Unavailable => TorchRuntime.Unavailable;

    public IReadOnlyList<HeadOption> Options { get; } =
    [
        new("hidden_layer_sizes", HeadOptionKind.Text, "128", "widths of the hidden layers, such as 512,128"),
        new("dropout", HeadOptionKind.Number, "0", "share of hidden values set to zero in training") { Minimum = 0, Maximum = 0.99 },
        .. TorchOptions.Declare("0.001", "30", "standard"),
    ];

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context)
    {
        var hidden = MlpTrainer.HiddenSizes(Name, settings.Text("hidden_layer_sizes"));
        var (network, scaling, fit) = TorchTrainer.Train(this, hidden, data, settings, context);
        return new MlpHead(network, scaling, settings, fit);
    }
}
