using TransferPipeline.Backbones;

namespace TransferPipeline.Extraction;

/// <summary>Takes photos from the queue to vectors in their parts, on a CPU or on GPUs.</summary>
internal interface IExtractionEngine : IDisposable
{
    /// <summary>Threads that decode; on the CPU they infer too.</summary>
    int Decoders { get; }

    /// <summary>Slots that may be handed out while an earlier one waits for its batch to fill.</summary>
    int RowsInFlight { get; }

    /// <summary>
    /// The work of each thread. All end when no photos are left; when cancelled, after the vectors whose pixels are ready.
    /// </summary>
    IReadOnlyList<Action<CancellationToken>> Workers(ExtractionPass pass);
}

/// <param name="missing">Vectors to compute.</param>
internal delegate IExtractionEngine EngineFactory(ExtractionSpec spec, ExtractionOptions options, CutModel model, int missing);
