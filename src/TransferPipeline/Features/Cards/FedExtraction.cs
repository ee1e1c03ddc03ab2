using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Features.Extraction;

namespace TransferPipeline.Features.Cards;

/// <summary>
/// On cards: all cores read, decode and resize into batches of bytes, and each card's session computes them with two batches in flight.
/// Normalization is in the graph.
/// </summary>
internal sealed partial class FedExtraction : IExtractionEngine
{
    /// <summary>Callers of a card: one batch is copied while another is computed.</summary>
    public const int Lanes = 2;

    /// <summary>Below this number of vectors a run is over before it pays to find how many threads should decode.</summary>
    private const int WorthATrial = 4096;

    /// <summary>Share of the host's memory that batches may take.</summary>
    private const int HostShare = 4;

    private readonly ExtractionJob _job;
    private readonly List<InferenceSession> _sessions = [];
    private readonly List<Lane> _lanes = [];
    private readonly List<IDisposable> _owned = [];
    private readonly CutModel _model;
    private readonly TensorMemory _memory;

    /// <param name="createSession">Makes the session of a card; tests give the CPU's.</param>
    /// <param name="missing">Vectors to compute.</param>
    /// <param name="cardMemory">A card's own memory; tests give plain memory.</param>
    public FedExtraction(ExtractionJob job, ExtractionOptions options, CutModel model, int missing, Func<CutModel, DeviceOptions, InferenceSession> createSession, Func<InferenceSession, int, TensorMemory>? cardMemory = null)
    {
        _job = job;
        cardMemory ??= job.Device.IsCpu ? (_, _) => TensorMemory.Plain() : TensorMemory.OnCard;
        var bytes = PixelInput.Apply(model, job.Preprocessing);
        _model = bytes with { Onnx = [] };
        try
        {
            foreach (var card in job.Device.Cards)
                AddLanes(card, () => createSession(bytes, job.Device with { Cards = [card] }), cardMemory);
            _memory = job.Device.IsCpu ? TensorMemory.Plain() : TensorMemory.Pinned(_lanes[0].Session, _lanes[0].Card);
            (BatchSize, Decoders) = Sizes(options, missing);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>With sessions of the job's device, whose nodes are all on the card or are listed.</summary>
    public static FedExtraction Create(ExtractionJob job, ExtractionOptions options, CutModel model, int missing)
    {
        var told = new HashSet<string>();
        return new(job, options, model, missing, (bytes, card) => NodePlacement.CreateChecked(bytes, card, message =>
        {
            if (told.Add(message))
                options.Message(message);
        }));
    }

    /// <summary>Photos in a batch.</summary>
    public int BatchSize { get; }

    public int Decoders { get; }

    public int RowsInFlight => BatchSize * (RingLength + 1);

    /// <summary>Batches in memory: one for each lane, and one for each card that is being filled.</summary>
    private int RingLength => _job.Device.Cards.Count * (Lanes + 1);

    public IReadOnlyList<Action<CancellationToken>> Workers(ExtractionRun run)
    {
        var decoders = Math.Clamp(Decoders, 1, Math.Max(1, run.Total));
        HostBatch[] batches = [];
        CardErrors.Guard(() => batches = [.. Enumerable.Range(0, RingLength).Select(_ => new HostBatch(_memory, _model, BatchSize))], BatchSize, _job.Device);
        _owned.InsertRange(0, batches);
        var ring = new BatchRing(batches, BatchSize, run.Total, decoders);
        var work = new List<Action<CancellationToken>>();
        for (var i = 0; i < decoders; i++)
            work.Add(cancellation => new PhotoFeeder(run, ring).Run(cancellation));
        var createRunner = RunnerFactory();
        foreach (var lane in _lanes)
        {
            work.Add(_ =>
            {
                IBatchRunner? runner = null;
                CardErrors.Guard(() => runner = createRunner(lane), BatchSize, _job.Device);
                using (runner)
                    CardLane.Run(runner!, run, ring);
            });
        }

        return work;
    }

    public void Dispose()
    {
        _owned.ForEach(o => o.Dispose());
        _memory?.Dispose();
        _lanes.ForEach(l => l.Memory.Dispose());
        _sessions.ForEach(s => s.Dispose());
    }

    /// <summary>The lanes of a card share its session; but one that replays CUDA graphs may be called by one thread only.</summary>
    private void AddLanes(int card, Func<InferenceSession> create, Func<InferenceSession, int, TensorMemory> memory)
    {
        for (var lane = 0; lane < Lanes; lane++)
        {
            if (lane == 0 || _job.Device.CudaGraphs)
                _sessions.Add(create());
            _lanes.Add(new(_sessions[^1], card, memory(_sessions[^1], card)));
        }
    }

    /// <summary>Makes a lane's runner on the thread that will call it; with CUDA graphs it returns when all lanes have captured theirs.</summary>
    private Func<Lane, IBatchRunner> RunnerFactory()
    {
        if (!_job.Device.CudaGraphs)
            return lane => new BoundRunner(lane.Session, _model, lane.Memory, BatchSize);
        var gate = new CaptureGate(_lanes.Count);
        var scratch = new HostBatch(_memory, _model, BatchSize);
        _owned.InsertRange(0, [gate, scratch]);
        return lane =>
        {
            GraphRunner? runner = null;
            try
            {
                gate.Pass(() =>
                {
                    runner = new GraphRunner(lane.Session, _model, lane.Memory, BatchSize);
                    runner.Prove(scratch);
                });
                return runner!;
            }
            catch
            {
                runner?.Dispose();
                throw;
            }
        };
    }

    /// <summary>Photos in a batch and threads that decode: as given, or by a trial that says what it found.</summary>
    private (int Batch, int Decoders) Sizes(ExtractionOptions options, int missing)
    {
        var tryDecoders = options.FewerWorkers && options.Workers > 1 && missing >= WorthATrial;
        var largest = Largest(missing);
        if (options.Batch > 0 || largest == 1)
        {
            var given = options.Batch > 0 ? Math.Min(options.Batch, _model.MaxBatch) : 1;
            return (given, tryDecoders ? TryDecoders(options, GuardedRate(given)) : options.Workers);
        }

        var trial = BatchTrial.Run(RateOfFirstCard, () => CudaRuntime.FreeMemory(_lanes[0].Card), largest);
        var (batch, rate) = trial.Best;
        options.Message($"batches of {batch} photos ({trial}); --batch {batch} skips the trial");
        return (batch, tryDecoders ? TryDecoders(options, rate) : options.Workers);
    }

    private int TryDecoders(ExtractionOptions options, double rateOfACard)
    {
        var (needed, photo) = (rateOfACard * _job.Device.Cards.Count, 0);
        // Compiles the code and is not counted.
        TrialRates.OfDecoding(_job, 1, ref photo);
        var trial = FeederTrial.Run(threads => TrialRates.OfDecoding(_job, threads, ref photo), needed, options.Workers);
        options.Message(FormattableString.Invariant($"{trial.Best} of {options.Workers} threads decode for {needed:0} photos a second ({trial}); --threads {trial.Best} skips the trial"));
        return trial.Best;
    }

    private double GuardedRate(int size)
    {
        var rate = 0.0;
        CardErrors.Guard(() => rate = RateOfFirstCard(size), size, _job.Device);
        return rate;
    }

    private double RateOfFirstCard(int size)
    {
        var rate = 0.0;
        CardErrors.Run(() => rate = TrialRates.OfCard(_lanes[..Lanes], _memory, _model, size), _job.Device);
        return rate;
    }

    private int Largest(int missing)
    {
        var bytes = 3L * _model.InputHeight * _model.InputWidth + sizeof(float) * _model.Outputs.Sum(o => (long)o.Dimension);
        var host = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / HostShare / RingLength / bytes;
        return (int)Math.Clamp(Math.Min(host, missing), 1, _model.MaxBatch);
    }
}
