using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Networks;

/// <summary>Settings of heads that learn in epochs; names and meaning are PyTorch's.</summary>
internal sealed record TrainingOptions
{
    public required bool Adam { get; init; }

    public required double LearningRate { get; init; }

    public double Momentum { get; init; }

    public double WeightDecay { get; init; }

    /// <summary>Epochs after which the rate is multiplied by <see cref="Gamma"/>; 0 never.</summary>
    public int StepSize { get; init; }

    public double Gamma { get; init; } = 0.1;

    public required int BatchSize { get; init; }

    public required int Epochs { get; init; }

    /// <summary>Share of hidden values that are set to zero in training.</summary>
    public double Dropout { get; init; }

    /// <summary>Keep the weights of the epoch with the best validation accuracy, the first of equals.</summary>
    public bool BestWeights { get; init; } = true;

    /// <summary>The options that <c>mlp</c> and <c>linear-sgd</c> share.</summary>
    public static IReadOnlyList<HeadOption> Declare(string solver, string learningRate, string batchSize, string epochs, string scaling) =>
    [
        new("solver", HeadOptionKind.Choice, solver, "torch.optim's SGD or Adam") { Choices = ["sgd", "adam"] },
        new("learning_rate", HeadOptionKind.Number, learningRate, "length of a step") { Minimum = 0, ExclusiveMinimum = true },
        new("momentum", HeadOptionKind.Number, "0.9", "momentum of sgd") { Minimum = 0, Maximum = 1 },
        new("weight_decay", HeadOptionKind.Number, "0", "L2 penalty on all weights") { Minimum = 0 },
        new("step_size", HeadOptionKind.Integer, "0", "epochs after which the rate is multiplied by gamma (StepLR); 0 for never") { Minimum = 0 },
        new("gamma", HeadOptionKind.Number, "0.1", "factor of the rate after step_size epochs") { Minimum = 0, ExclusiveMinimum = true },
        new("batch_size", HeadOptionKind.Integer, batchSize, "rows a step") { Minimum = 1 },
        new("epochs", HeadOptionKind.Integer, epochs, "times that each photo is seen") { Minimum = 1 },
        new("views", HeadOptionKind.Choice, "cycle", "of photos with cached views: one view an epoch in turn, or all in every epoch") { Choices = ["cycle", "all"] },
        new("best_weights", HeadOptionKind.Flag, "true", "keep the weights of the epoch with the best validation accuracy, when there are validation rows"),
        ClassWeights.Option,
        new("scaling", HeadOptionKind.Choice, scaling, "what is done to vectors first") { Choices = ["none", "standard", "l2"] },
    ];

    public static TrainingOptions Read(HeadSettings settings) => new()
    {
        Adam = settings.Text("solver") == "adam",
        LearningRate = settings.Number("learning_rate"),
        Momentum = settings.Number("momentum"),
        WeightDecay = settings.Number("weight_decay"),
        StepSize = settings.Integer("step_size"),
        Gamma = settings.Number("gamma"),
        BatchSize = settings.Integer("batch_size"),
        Epochs = settings.Integer("epochs"),
        BestWeights = settings.Flag("best_weights"),
        Dropout = settings.Values.ContainsKey("dropout") ? settings.Number("dropout") : 0,
    };

    /// <summary>The rate of an epoch, counted from 0: StepLR.</summary>
    public double RateIn(int epoch) => StepSize == 0 ? LearningRate : LearningRate * Math.Pow(Gamma, epoch / StepSize);
}
