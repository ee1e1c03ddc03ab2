namespace TransferPipeline.Inference.Gpu;

/// <summary>One caller of a GPU's session. Not thread-safe.</summary>
internal interface IBatchRunner : IDisposable
{
    /// <summary>Computes the batch's vectors from its pixels.</summary>
    void Run(BatchTensors batch);
}
