using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.TorchSharp;

/// <summary>Options of the heads that TorchSharp trains; names and meaning are PyTorch's.</summary>
public abstract record TorchOptions : HeadOptions, IScaledHead, IWeightedHead, IEpochHead
{
    /// <summary>torch.optim's Adam, SGD, or LBFGS on all rows at once.</summary>
    [Option("solver", "torch.optim's Adam, SGD, or LBFGS on all rows at once")]
    public TorchSolver Solver { get; init; }

    /// <inheritdoc/>
    public double LearningRate { get; init; } = 0.001;

    /// <inheritdoc/>
    public double Momentum { get; init; } = 0.9;

    /// <inheritdoc/>
    public double WeightDecay { get; init; }

    /// <inheritdoc/>
    public int StepSize { get; init; }

    /// <inheritdoc/>
    public double Gamma { get; init; } = 0.1;

    /// <summary>Rows per step; L-BFGS takes all.</summary>
    [Option("batch_size", "rows per step; lbfgs takes all", Min = 1)]
    public int BatchSize { get; init; } = 128;

    /// <summary>Times that each photo is seen; of L-BFGS, rounds of at most 20 steps.</summary>
    [Option("epochs", "times that each photo is seen; of lbfgs, rounds of at most 20 steps", Min = 1)]
    public int Epochs { get; init; } = 20;

    /// <inheritdoc/>
    public ViewUse Views { get; init; }

    /// <inheritdoc/>
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
