namespace TransferPipeline.Tuning;

/// <summary>How a step of training is done; rates are given with each step.</summary>
internal sealed record TunerOptions
{
    public TunerOptimizer Optimizer { get; init; }

    /// <summary>Momentum of SGD.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>torch.optim's weight decay: an L2 penalty for SGD and Adam, decoupled for AdamW; on every weight that trains.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Share of a label's probability that is spread evenly over all classes.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>One per class, as of torch's CrossEntropyLoss; null for none.</summary>
    public float[]? ClassWeights { get; init; }

    /// <summary>Threads that compute shards; the results do not depend on it.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>
    /// Parts of a batch whose gradients are computed one by one and summed in order; the results depend on it a little. Small
    /// shards stay in the processor's cache.
    /// </summary>
    public int Shards { get; init; } = 8;

    /// <summary>Of dropout, where the file still has it.</summary>
    public int Seed { get; init; }

    public TunerDevice Device { get; init; }

    public TunerPrecision Precision { get; init; }
}

/// <summary>torch.optim's optimizers, with its default constants.</summary>
internal enum TunerOptimizer
{
    /// <summary>With momentum.</summary>
    Sgd,

    Adam,

    AdamW,
}

/// <summary>Where a part is trained.</summary>
internal enum TunerDevice
{
    Cpu,

    /// <summary>The NVIDIA GPU.</summary>
    Cuda,
}

/// <summary>Arithmetic of convolutions and matrix products while training; weights and everything else are float32.</summary>
internal enum TunerPrecision
{
    Float32,

    Bfloat16,
}
