namespace TransferPipeline.Tuning;

/// <summary>
/// The part of a backbone above a cut with its head, as a function that trains. One thread calls it at a time. All results are the same
/// bytes for any number of threads: a batch is divided into a fixed number of shards, and sums over shards are in their order.
/// </summary>
internal interface ITunedPart : IDisposable
{
    /// <summary>Weights that train and running statistics of the graph; the head is not among them.</summary>
    IReadOnlyList<TunedParameter> Parameters { get; }

    /// <summary>
    /// Bytes of the activations that a training step keeps for each photo of a shard that is being computed, or of the batch
    /// (<see cref="KeepsBatch"/>).
    /// </summary>
    long ActivationBytesPerPhoto { get; }

    /// <summary>Bytes of weights, gradients and optimizer state.</summary>
    long WeightBytes { get; }

    /// <summary>Parts into which a batch is divided; 1 where a GPU computes it in one piece.</summary>
    int Shards { get; }

    /// <summary>A step keeps the activations of all shards, since statistics of the whole batch join them.</summary>
    bool KeepsBatch { get; }

    /// <summary>One step of the optimizer: BatchNormalization in train mode, gradients of the batch's mean loss.</summary>
    /// <param name="backboneRate">Learning rate of the graph's weights; 0 leaves them as they are.</param>
    /// <param name="headRate">Learning rate of the head (and of the auxiliary head).</param>
    StepResult Train(TunedBatch batch, double backboneRate, double headRate);

    /// <summary>Evaluation mode: running statistics, no dropout.</summary>
    /// <param name="logits">N x C of the head, written.</param>
    /// <param name="features">N x D, written; empty when they are not needed.</param>
    /// <returns>Loss (as in training, with label smoothing and class weights) and number of correct photos.</returns>
    StepResult Evaluate(TunedBatch batch, Span<float> logits, Span<float> features);

    /// <summary>A copy of all weights and running statistics as they are now.</summary>
    TunedWeights Weights();

    /// <summary>Puts weights back, for example an average or the best epoch's; the optimizer's state stays.</summary>
    void SetWeights(TunedWeights weights);

    /// <summary>
    /// Writes weights, running statistics, optimizer state and the number of steps, so that after <see cref="Load"/> training goes on with
    /// the same bytes.
    /// </summary>
    void Save(Stream to);

    /// <exception cref="InvalidDataException">The data are not of this part, or end early.</exception>
    void Load(Stream from);
}
