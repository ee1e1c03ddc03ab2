using TransferPipeline.Backbones;
using TransferPipeline.Features;

namespace TransferPipeline.Extraction;

/// <summary>What an engine's workers need of the pass that they work for.</summary>
/// <param name="Total">Vectors to compute in this pass.</param>
internal sealed record ExtractionRun(ExtractionJob Job, WorkQueue Queue, WorkerTimes Times, SemaphoreSlim Finished, int Total)
{
    /// <summary>Marks slots of a part as done and wakes the writer when that finishes the part.</summary>
    public void Finish(PartBuffer part, int slots)
    {
        Times.Finish(slots);
        if (part.Finish(slots))
            Finished.Release();
    }
}

/// <summary>Takes photos from the queue to vectors in their parts, on a CPU or on cards.</summary>
internal interface IExtractionEngine : IDisposable
{
    /// <summary>Threads that decode; on the CPU they infer too.</summary>
    int Decoders { get; }

    /// <summary>Slots that may be handed out while an earlier one waits for its batch to fill.</summary>
    int RowsInFlight { get; }

    /// <summary>The work of each thread. All end when no photos are left; when cancelled, after the vectors whose pixels are ready.</summary>
    IReadOnlyList<Action<CancellationToken>> Workers(ExtractionRun run);
}

/// <param name="missing">Vectors to compute.</param>
internal delegate IExtractionEngine EngineFactory(ExtractionJob job, ExtractionOptions options, CutModel model, int missing);
