using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.TorchSharp;

/// <summary>Options of the heads that TorchSharp trains; names and meaning are PyTorch's.</summary>
public abstract record TorchOptions : HeadOptions, IScaledHead, IWeightedHead
{
    /// <summary>torch.optim's Adam, SGD, or LBFGS on all rows at once.</summary>
    [Option("solver", "torch.optim's Adam, SGD, or LBFGS on all rows at once")]
    public TorchSolver Solver { get; init; }

    /// <summary>Length of a step.</summary>
    [Option("learning_rate", "length of a step", Min = 0, ExclusiveMin = true)]
    public double LearningRate { get; init; } = 0.001;

    /// <summary>Momentum of SGD.</summary>
    [Option("momentum", "momentum of sgd", Min = 0, Max = 1)]
    public double Momentum { get; init; } = 0.9;

    /// <summary>L2 penalty on all weights.</summary>
    [Option("weight_decay", "L2 penalty on all weights", Min = 0)]
    public double WeightDecay { get; init; }

    /// <summary>Epochs after which the rate is multiplied by <see cref="Gamma"/>; 0 for never.</summary>
    [Option("step_size", "epochs after which the rate is multiplied by gamma (StepLR); 0 for never", Min = 0)]
    public int StepSize { get; init; }

    /// <summary>Factor of the rate after <see cref="StepSize"/> epochs.</summary>
    [Option("gamma", "factor of the rate after step_size epochs", Min = 0, ExclusiveMin = true)]
    public double Gamma { get; init; } = 0.1;

    /// <summary>Rows per step; L-BFGS takes all.</summary>
    [Option("batch_size", "rows per step; lbfgs takes all", Min = 1)]
    public int BatchSize { get; init; } = 128;

    /// <summary>Times that each photo is seen; of L-BFGS, rounds of at most 20 steps.</summary>
    [Option("epochs", "times that each photo is seen; of lbfgs, rounds of at most 20 steps", Min = 1)]
    public int Epochs { get; init; } = 20;

    /// <summary>Which of a photo's cached views an epoch takes.</summary>
    [Option("views", "of photos with cached views: one view per epoch in turn, or all in every epoch")]
    public ViewUse Views { get; init; }

    /// <summary>
    /// Whether the weights of the epoch with the best validation accuracy are kept, the first of equals, when there are validation rows.
    /// </summary>
    [Option("best_weights", "keep the weights of the epoch with the best validation accuracy, when there are validation rows")]
    public bool BestWeights { get; init; } = true;

    /// <inheritdoc/>
    public string ClassWeight { get; init; } = "none";

    /// <summary>Where it trains.</summary>
    [Option("device", "where it trains")]
    public TorchDevice Device { get; init; }

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }

    /// <summary>Share of hidden values that are set to zero in training.</summary>
    internal virtual double HiddenDropout => 0;

    /// <summary>Rows that a step takes.</summary>
    internal int StepRows => Solver == TorchSolver.Lbfgs ? int.MaxValue : BatchSize;
}

/// <summary>One linear layer trained by libtorch.</summary>
public sealed record TorchLinear : TorchOptions
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new TorchLinearTrainer();
}

/// <summary>Hidden layers with ReLU and dropout trained by libtorch.</summary>
public sealed record TorchMlp : TorchOptions
{
    /// <summary>30 epochs on standardized vectors.</summary>
    public TorchMlp() => (Epochs, Scaling) = (30, ScalingKind.Standard);

    /// <inheritdoc/>
    public override IHeadTrainer Trainer => new TorchMlpTrainer();

    /// <summary>Widths of the hidden layers, such as <c>512,128</c>.</summary>
    [Option("hidden_layer_sizes", "widths of the hidden layers, such as 512,128")]
    public IReadOnlyList<int> HiddenLayerSizes { get; init; } = [128];

    /// <summary>Share of hidden values set to zero in training.</summary>
    [Option("dropout", "share of hidden values set to zero in training", Min = 0, Max = 0.99)]
    public double Dropout { get; init; }

    internal override double HiddenDropout => Dropout;

    /// <summary>Whether all options are the same, the widths by their values.</summary>
    // A record compares lists by reference.
    public bool Equals(TorchMlp? other) =>
        base.Equals(other) && Dropout == other.Dropout && HiddenLayerSizes.SequenceEqual(other.HiddenLayerSizes);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Dropout, HiddenLayerSizes.Count);
}

/// <summary>An optimizer of torch.optim.</summary>
public enum TorchSolver
{
    /// <summary>torch.optim.Adam.</summary>
    Adam,

    /// <summary>torch.optim.SGD with momentum.</summary>
    Sgd,

    /// <summary>torch.optim.LBFGS on all rows at once.</summary>
    Lbfgs,
}

/// <summary>Where libtorch trains.</summary>
public enum TorchDevice
{
    /// <summary>On the processor.</summary>
    Cpu,

    /// <summary>On the NVIDIA GPU.</summary>
    Cuda,
}
