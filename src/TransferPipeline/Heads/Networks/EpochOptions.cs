using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Networks;

/// <summary>Options of heads that learn in epochs; names and meaning are PyTorch's.</summary>
public abstract record EpochOptions : HeadOptions, IScaledHead, IWeightedHead
{
    /// <summary>torch.optim's SGD or Adam.</summary>
    [Option("solver", "torch.optim's SGD or Adam")]
    public EpochSolver Solver { get; init; }

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

    /// <summary>Rows per step.</summary>
    [Option("batch_size", "rows per step", Min = 1)]
    public int BatchSize { get; init; } = 128;

    /// <summary>Times that each photo is seen.</summary>
    [Option("epochs", "times that each photo is seen", Min = 1)]
    public int Epochs { get; init; } = 30;

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

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }

    /// <summary>Share of hidden values that are set to zero in training.</summary>
    internal virtual double HiddenDropout => 0;

    /// <summary>The rate of an epoch, counted from 0: StepLR.</summary>
    internal double RateIn(int epoch) => StepSize == 0 ? LearningRate : LearningRate * Math.Pow(Gamma, epoch / StepSize);
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
