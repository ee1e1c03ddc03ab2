using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Networks;

/// <summary>A head that learns in epochs, here or in another library.</summary>
internal interface IEpochHead
{
    /// <summary>Length of a step.</summary>
    [Option("learning_rate", "length of a step", Min = 0, ExclusiveMin = true)]
    double LearningRate { get; }

    /// <summary>Momentum of SGD.</summary>
    [Option("momentum", "momentum of sgd", Min = 0, Max = 1)]
    double Momentum { get; }

    /// <summary>L2 penalty on all weights.</summary>
    [Option("weight_decay", "L2 penalty on all weights", Min = 0)]
    double WeightDecay { get; }

    /// <summary>Epochs after which the rate is multiplied by <see cref="Gamma"/>; 0 for never.</summary>
    [Option("step_size", "epochs after which the rate is multiplied by gamma (StepLR); 0 for never", Min = 0)]
    int StepSize { get; }

    /// <summary>Factor of the rate after <see cref="StepSize"/> epochs.</summary>
    [Option("gamma", "factor of the rate after step_size epochs", Min = 0, ExclusiveMin = true)]
    double Gamma { get; }

    /// <summary>Which of a photo's cached views an epoch takes.</summary>
    [Option("views", "of photos with cached views: one view per epoch in turn, or all in every epoch")]
    ViewUse Views { get; }

    /// <summary>
    /// Whether the weights of the epoch with the best validation accuracy are kept, the first of equals, when there are validation rows.
    /// </summary>
    [Option("best_weights", "keep the weights of the epoch with the best validation accuracy, when there are validation rows")]
    bool BestWeights { get; }
}

/// <summary>What follows from the options of heads that learn in epochs.</summary>
internal static class EpochRates
{
    /// <summary>The rate of an epoch, counted from 0: StepLR.</summary>
    public static double RateIn(this IEpochHead head, int epoch) =>
        head.StepSize == 0 ? head.LearningRate : head.LearningRate * Math.Pow(head.Gamma, epoch / head.StepSize);
}
