using TransferPipeline.Heads.Common;

namespace TransferPipeline.TorchSharp;

/// <summary>Settings of the heads that TorchSharp trains; names and meaning are PyTorch's.</summary>
internal sealed record TorchOptions
{
    public required string Solver { get; init; }

    public required double LearningRate { get; init; }

    public double Momentum { get; init; }

    public double WeightDecay { get; init; }

    public int StepSize { get; init; }

    public double Gamma { get; init; }

    public required int BatchSize { get; init; }

    public required int Epochs { get; init; }

    public double Dropout { get; init; }

    public bool BestWeights { get; init; }

    public required string Device { get; init; }

    public static IReadOnlyList<HeadOption> Declare(string learningRate, string epochs, string scaling) =>
    [
        new("solver", HeadOptionKind.Choice, "adam", "torch.optim's Adam, SGD, or LBFGS on all rows at once") { Choices = ["adam", "sgd", "lbfgs"] },
        new("learning_rate", HeadOptionKind.Number, learningRate, "length of a step") { Minimum = 0, ExclusiveMinimum = true },
        new("momentum", HeadOptionKind.Number, "0.9", "momentum of sgd") { Minimum = 0, Maximum = 1 },
        new("weight_decay", HeadOptionKind.Number, "0", "L2 penalty on all weights") { Minimum = 0 },
        new("step_size", HeadOptionKind.Integer, "0", "epochs after which the rate is multiplied by gamma (StepLR); 0 for never") { Minimum = 0 },
        new("gamma", HeadOptionKind.Number, "0.1", "factor of the rate after step_size epochs") { Minimum = 0, ExclusiveMinimum = true },
        new("batch_size", HeadOptionKind.Integer, "128", "rows a step; lbfgs takes all") { Minimum = 1 },
        new("epochs", HeadOptionKind.Integer, epochs, "times that each photo is seen; of lbfgs, rounds of at most 20 steps") { Minimum = 1 },
        new("views", HeadOptionKind.Choice, "cycle", "of photos with cached views: one view an epoch in turn, or all in every epoch") { Choices = ["cycle", "all"] },
        new("best_weights", HeadOptionKind.Flag, "true", "keep the weights of the epoch with the best validation accuracy, when there are validation rows"),
        ClassWeights.Option,
        new("device", HeadOptionKind.Choice, "cpu", "where it trains") { Choices = ["cpu", "cuda"] },
        new("scaling", HeadOptionKind.Choice, scaling, "what is done to vectors first") { Choices = ["none", "standard", "l2"] },
    ];

    public static TorchOptions Read(HeadSettings settings) => new()
    {
        Solver = settings.Text("solver"),
        LearningRate = settings.Number("learning_rate"),
        Momentum = settings.Number("momentum"),
        WeightDecay = settings.Number("weight_decay"),
        StepSize = settings.Integer("step_size"),
        Gamma = settings.Number("gamma"),
        BatchSize = settings.Text("solver") == "lbfgs" ? int.MaxValue : settings.Integer("batch_size"),
        Epochs = settings.Integer("epochs"),
        BestWeights = settings.Flag("best_weights"),
        Dropout = settings.Values.ContainsKey("dropout") ? settings.Number("dropout") : 0,
        Device = settings.Text("device"),
    };
}
