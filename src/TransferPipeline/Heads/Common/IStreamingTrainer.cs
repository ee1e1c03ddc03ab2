namespace TransferPipeline.Heads.Common;

/// <summary>A trainer that can read its rows in blocks, with bounded memory.</summary>
internal interface IStreamingTrainer : IHeadTrainer
{
    /// <summary>Whether one pass over the rows suffices, so that a copy for later passes is useless.</summary>
    bool StreamsOnce(HeadOptions options);

    /// <summary>Trains one head, to the same optimum as in memory.</summary>
    /// <exception cref="BadInputException">The vectors cannot be trained on: one class only, NaN or infinity (row named).</exception>
    IHead TrainStream(IRowStream stream, int classCount, HeadOptions options, TrainingContext context);
}
