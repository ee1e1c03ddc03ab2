using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;

namespace TransferPipeline.Features.Cards;

/// <summary>
/// On cards: all cores read, decode and resize into batches of bytes, and each card's session computes them with two batches in flight.
/// Normalization is in the graph.
/// </summary>
internal sealed class FedExtraction : IExtractionEngine
{
    /// <summary>Callers of a card's session: one batch is copied while another is computed.</summary>
    public const int Lanes = 2;

    private readonly List<InferenceSession> _sessions = [];
    private readonly List<IDisposable> _owned = [];
    private readonly CutModel _model;
    private readonly int _batch;
    private readonly int _decoders;
    private HostMemory _memory = HostMemory.Plain();

    /// <param name="createSession">Makes the session of a card; tests give the CPU's.</param>
    /// <param name="missing">Vectors to compute.</param>
    public FedExtraction(ExtractionJob job, ExtractionOptions options, CutModel model, int missing, Func<CutModel, DeviceOptions, InferenceSession> createSession)
    {
        var bytes = PixelInput.Apply(model, job.Preprocessing);
        _model = bytes with { Onnx = [] };
        _decoders = options.Workers;
        try
        {
            foreach (var card in job.Device.Cards)
                _sessions.Add(createSession(bytes, job.Device with { Cards = [card] }));
            if (!job.Device.IsCpu)
                _owned.Add(_memory = HostMemory.Pinned(_sessions[0], job.Device.Cards[0]));
            _batch = Batch(options, missing);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>With sessions of the job's device, whose nodes are all on the card or are listed.</summary>
    public static FedExtraction Create(ExtractionJob job, ExtractionOptions options, CutModel model, int missing) =>
        new(job, options, model, missing, (bytes, card) => NodePlacement.CreateChecked(bytes, card, options.Message));

    /// <summary>Photos in a batch.</summary>
    public int BatchSize => _batch;

    public int RowsInFlight => _batch * (RingLength + 1);

    private int RingLength => _sessions.Count * (Lanes + 1);

    public IReadOnlyList<Action<CancellationToken>> Workers(ExtractionRun run)
    {
        var decoders = Math.Clamp(_decoders, 1, Math.Max(1, run.Total));
        var batches = Enumerable.Range(0, RingLength).Select(_ => new HostBatch(_memory, _model, _batch)).ToArray();
        _owned.InsertRange(0, batches);
        var ring = new BatchRing(batches, _batch, run.Total, decoders);
        var work = new List<Action<CancellationToken>>();
        for (var i = 0; i < decoders; i++)
            work.Add(cancellation => new PhotoFeeder(run, ring).Run(cancellation));
        foreach (var session in _sessions)
        {
            for (var lane = 0; lane < Lanes; lane++)
            {
                work.Add(_ =>
                {
                    using var runner = new CardRunner(session, _model);
                    runner.Run(run, ring);
                });
            }
        }

        return work;
    }

    public void Dispose()
    {
        _owned.ForEach(o => o.Dispose());
        _sessions.ForEach(s => s.Dispose());
    }

    private int Batch(ExtractionOptions options, int missing)
    {
        var largest = Math.Min(_model.MaxBatch, Math.Max(1, missing));
        if (options.Batch > 0)
            return Math.Min(options.Batch, _model.MaxBatch);
        if (largest == 1)
            return 1;
        var tried = BatchTrial.Run(_sessions[0], _memory, _model, largest);
        var batch = BatchTrial.Pick(tried);
        options.Message($"batches of {batch} photos (tried {BatchTrial.Describe(tried)}); --batch {batch} skips the trial");
        return batch;
    }
}
