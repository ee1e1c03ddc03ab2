using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Networks;

/// <summary>Options of heads that learn in epochs; names and meaning are PyTorch's.</summary>
public abstract record EpochOptions : HeadOptions, IScaledHead, IWeightedHead, IEpochHead
{
    /// <summary>torch.optim's SGD or Adam.</summary>
    [Option("solver", "torch.optim's SGD or Adam")]
    public EpochSolver Solver { get; init; }

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

    /// <summary>Rows per step.</summary>
    [Option("batch_size", "rows per step", Min = 1)]
    public int BatchSize { get; init; } = 128;

    /// <summary>Times that each photo is seen.</summary>
    [Option("epochs", "times that each photo is seen", Min = 1)]
    public int Epochs { get; init; } = 30;

    /// <inheritdoc/>
    public ViewUse Views { get; init; }

    /// <inheritdoc/>
    public bool BestWeights { get; init; } = true;

    /// <inheritdoc/>
    public string ClassWeight { get; init; } = "none";

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }

    /// <summary>Share of hidden values that are set to zero in training.</summary>
    internal virtual double HiddenDropout => 0;
}

/// <summary>How gradients become steps.</summary>
public enum EpochSolver
{
    /// <summary>Stochastic gradient descent with momentum.</summary>
    Sgd,

    /// <summary>Adam (Kingma and Ba 2015).</summary>
    Adam,
}

/// <summary>Which cached views of a photo an epoch takes.</summary>
public enum ViewUse
{
    /// <summary>One per epoch, in turn.</summary>
    Cycle,

    /// <summary>All in every epoch.</summary>
    All,
}
