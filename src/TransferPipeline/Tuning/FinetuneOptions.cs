namespace TransferPipeline.Tuning;

/// <summary>
/// How a backbone is trained above a cut. The defaults do not lose accuracy: the head starts as the one trained on frozen features (LP-FT,
/// Kumar et al. 2022), and steps are short.
/// </summary>
internal sealed record FinetuneOptions
{
    /// <summary>Sets the defaults of all other options.</summary>
    [Option("preset", "lp-ft, or tutorial: the recipe of PyTorch's transfer learning tutorial; it sets the defaults of the others.")]
    public FinetunePreset Preset { get; init; }

    /// <summary>Where training begins; what is below stays as it is.</summary>
    [Option("cut", "Where training begins: last-stage, last-block, all, or a tensor that separates the network.")]
    public string Cut { get; init; } = "last-stage";

    /// <summary>Each epoch takes another one of a photo and its copies.</summary>
    [Option(
        "views",
        "Augmented copies of each training photo, cached at the cut; 0 caches nothing and makes fresh copies in each epoch.",
        Min = 0,
        Max = 1000
    )]
    public int Views { get; init; } = 3;

    /// <summary>Times that each training photo is seen.</summary>
    [Option("epochs", "Times that each training photo is seen.", Min = 1, Max = 100_000)]
    public int Epochs { get; init; } = 8;

    /// <summary>Photos in a step.</summary>
    [Option("batch", "Photos in a step.", Min = 1, Max = 65536)]
    public int Batch { get; init; } = 32;

    /// <summary>At its highest; the schedule changes it.</summary>
    [Option("learning-rate", "Length of a step.", Min = 1e-12, Max = 1000)]
    public double LearningRate { get; init; } = 0.001;

    /// <summary>torch.optim's.</summary>
    [Option("optimizer", "torch.optim's SGD, Adam or AdamW.")]
    public FinetuneOptimizer Optimizer { get; init; }

    /// <summary>Of SGD.</summary>
    [Option("momentum", "Momentum of sgd.", Min = 0, Max = 0.9999)]
    public double Momentum { get; init; } = 0.9;

    /// <summary>Of every weight that trains; decoupled for AdamW.</summary>
    [Option("weight-decay", "L2 penalty on all weights that train; decoupled for adamw.", Min = 0, Max = 10)]
    public double WeightDecay { get; init; }

    /// <summary>How the learning rate changes.</summary>
    [Option("schedule", "Learning rate: cosine (down to 0 in each step), step (times gamma every step-size epochs), or constant.")]
    public FinetuneSchedule Schedule { get; init; }

    /// <summary>From 0 to the full rate.</summary>
    [Option("warmup", "Epochs in which the rate grows from 0; may be a fraction.", Min = 0, Max = 1000)]
    public double Warmup { get; init; }

    /// <summary>Of schedule step.</summary>
    [Option("step-size", "Epochs after which schedule step multiplies the rate by gamma.", Min = 1, Max = 100_000)]
    public int StepSize { get; init; } = 7;

    /// <summary>Of schedule step.</summary>
    [Option("gamma", "Factor of schedule step.", Min = 1e-6, Max = 1)]
    public double Gamma { get; init; } = 0.1;

    /// <summary>Of the backbone's learning rate; the head's is not changed by it.</summary>
    [Option("backbone-rate", "Factor of the learning rate of the backbone's weights, not of the head's.", Min = 0, Max = 1000)]
    public double BackboneRate { get; init; } = 1;

    /// <summary>The head before the first step.</summary>
    [Option("start", "First weights of the head: lp, the softmax head trained on frozen features, or random.")]
    public FinetuneStart Start { get; init; }

    /// <summary>Which weights are written.</summary>
    [Option("keep", "Weights that are written: the average of the last third of the epochs, the best epoch's, or the last.")]
    public FinetuneKeep Keep { get; init; }

    /// <summary>Photos on which the best epoch is chosen.</summary>
    [Option("watch", "With keep best: the best on held-out training photos, or on split validation, whose figures are then optimistic.")]
    public FinetuneWatch Watch { get; init; }

    /// <summary>Not trained on; only where the best epoch is kept.</summary>
    [Option("held-out", "Share of the training photos that is held out to choose the best epoch.", Min = 0.01, Max = 0.9)]
    public double HeldOut { get; init; } = 0.1;

    /// <summary>As of torch's CrossEntropyLoss.</summary>
    // Not 0: the first head often separates the training photos already, and then training without smoothing only makes scores larger
    // (docs/results.md, "Photos like ImageNet's").
    [Option("label-smoothing", "Share of a label's probability that is spread over all classes.", Min = 0, Max = 0.9)]
    public double LabelSmoothing { get; init; } = 0.1;

    /// <summary>As of the heads' option class_weight.</summary>
    [Option("class-weight", "Weights of classes in the loss: none, balanced, or pairs such as cat:1,dog:2.5.")]
    public string ClassWeight { get; init; } = "none";

    /// <summary>Of RandomResizedCrop.</summary>
    [Option(
        "crop-scale",
        "Smallest part of a photo's area that a random crop takes; 1 with flip 0 leaves photos as they are.",
        Min = 0.01,
        Max = 1
    )]
    public double CropScale { get; init; } = 0.35;

    /// <summary>Of RandomHorizontalFlip.</summary>
    [Option("flip", "Probability that a copy is mirrored.", Min = 0, Max = 1)]
    public double Flip { get; init; } = 0.5;

    /// <summary>Where the part above the cut trains.</summary>
    [Option("device", "Where the part above the cut trains; the part below it runs on the processor.")]
    public FinetuneDevice Device { get; init; }

    /// <summary>Of convolutions and matrix products; weights and all else are float32.</summary>
    [Option("precision", "Arithmetic of training: fp32, or bf16 for dense convolutions and matrix products on a CPU with AMX.")]
    public FinetunePrecision Precision { get; init; }

    /// <summary>Of the order of photos, their copies, and a random head.</summary>
    public int Seed { get; init; }

    /// <summary>The record that a preset means.</summary>
    public static FinetuneOptions Of(FinetunePreset preset) =>
        preset == FinetunePreset.LpFt
            ? new()
            : new()
            {
                Preset = preset,
                // The tutorial's rate, momentum and StepLR(7, 0.1) are the defaults of the options above.
                Cut = "all",
                Views = 0,
                Epochs = 25,
                Batch = 4,
                Schedule = FinetuneSchedule.Step,
                Start = FinetuneStart.Random,
                Keep = FinetuneKeep.Best,
                Watch = FinetuneWatch.Validation,
                LabelSmoothing = 0,
                // RandomResizedCrop's default in torchvision, which the tutorial leaves as it is.
                CropScale = 0.08,
            };

    /// <exception cref="UsageException">Options contradict each other.</exception>
    public FinetuneOptions Check()
    {
        // With a warm-up as long as the training the rate would only grow.
        if (Warmup >= Epochs)
            throw new UsageException(FormattableString.Invariant($"warmup is {Warmup} epochs of {Epochs}; expected fewer than there are"));
        if (Precision == FinetunePrecision.Bf16 && Device == FinetuneDevice.Cuda)
            throw new UsageException("precision bf16 is for device cpu; on cuda use fp32");
        return this;
    }

    /// <summary>All that determines the result, as text by name.</summary>
    public IReadOnlyDictionary<string, string> Values()
    {
        // Sorted, since this text becomes part of the key by which a checkpoint is recognized.
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in DeclaredOption.Of<FinetuneOptions>())
            values[option.Name] = option.TextOf(this);
        // The seed has no OptionAttribute: every command and pipeline has one seed for all that is random.
        values["seed"] = Seed.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return values;
    }
}

/// <summary>A set of defaults.</summary>
internal enum FinetunePreset
{
    /// <summary>Start from the trained head, short steps, the last stage.</summary>
    LpFt,

    /// <summary>PyTorch's transfer learning tutorial: everything trains, from a random head.</summary>
    Tutorial,
}

/// <summary>An optimizer of torch.optim.</summary>
internal enum FinetuneOptimizer
{
    /// <summary>Stochastic gradient descent with momentum.</summary>
    Sgd,

    /// <summary>Adam.</summary>
    Adam,

    /// <summary>AdamW.</summary>
    Adamw,
}

/// <summary>How the learning rate changes.</summary>
internal enum FinetuneSchedule
{
    /// <summary>Half a cosine from the full rate to 0.</summary>
    Cosine,

    /// <summary>StepLR.</summary>
    Step,

    /// <summary>No change.</summary>
    Constant,
}

/// <summary>The head before the first step.</summary>
internal enum FinetuneStart
{
    /// <summary>Trained on frozen features (linear probing).</summary>
    Lp,

    /// <summary>Drawn as torch.nn.Linear draws it.</summary>
    Random,
}

/// <summary>Which weights are kept.</summary>
internal enum FinetuneKeep
{
    /// <summary>The mean of the weights after each of the last third of the epochs.</summary>
    Average,

    /// <summary>Those of the epoch with the best accuracy on the watched photos, the first of equals.</summary>
    Best,

    /// <summary>Those of the last epoch.</summary>
    Last,
}

/// <summary>Photos on which the best epoch is chosen.</summary>
internal enum FinetuneWatch
{
    /// <summary>A stratified part of split train, which is then not trained on.</summary>
    HeldOut,

    /// <summary>Split validation, which is reported too.</summary>
    Validation,
}

/// <summary>Where the part above a cut trains.</summary>
internal enum FinetuneDevice
{
    /// <summary>On the processor.</summary>
    Cpu,

    /// <summary>On the NVIDIA GPU.</summary>
    Cuda,
}

/// <summary>Arithmetic of the products while training.</summary>
internal enum FinetunePrecision
{
    /// <summary>float32.</summary>
    Fp32,

    /// <summary>bfloat16 with float32 weights, as torch.autocast.</summary>
    Bf16,
}
