using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;
using TransferPipeline.Inference.Gpu.Cuda;

namespace TransferPipeline.Extraction;

/// <summary>
/// On cards: all cores read, decode and resize into batches of bytes, and each card's session computes them with two batches in flight.
/// Normalization is in the graph.
/// </summary>
internal sealed partial class GpuEngine : IExtractionEngine
{
    /// <summary>Below this number of vectors a run is over before it pays to find how many threads should decode.</summary>
    private const int WorthATrial = 4096;

    /// <summary>Share of the host's memory that batches may take.</summary>
    private const int HostShare = 4;

    private readonly ExtractionJob _job;
    private readonly List<IDisposable> _owned = [];
    private readonly CutModel _model;
    private readonly bool _mayFuse;
    private GpuSessions _cards;

    /// <param name="createSession">Makes the session of a card; tests give the CPU's.</param>
    /// <param name="missing">Vectors to compute.</param>
    /// <param name="cardMemory">A card's own memory; tests give plain memory.</param>
    public GpuEngine(ExtractionJob job, ExtractionOptions options, CutModel model, int missing, Func<CutModel, DeviceOptions, InferenceSession> createSession, Func<InferenceSession, int, TensorMemory>? cardMemory = null)
    {
        _job = job;
        cardMemory ??= job.Device.IsCpu ? (_, _) => TensorMemory.Plain() : TensorMemory.OnCard;
        var bytes = PixelInput.Apply(model, job.Preprocessing);
        _model = bytes with { Onnx = [] };
        _mayFuse = job.Device.CudaFusion == "auto" && job.Device.Provider != DeviceOptions.TensorRt && SessionFactory.MayFuse(bytes, job.Device);
        Fusion = job.Device.CudaFusion == "on" ? "on" : "off";
        _cards = Sessions(Fusion);
        try
        {
            (BatchSize, Decoders) = Sizes(options, missing, Sessions);
            GpuErrors.Guard(() => TrialRates.Warm(_cards.Lanes, _cards.Host, _model, BatchSize), BatchSize, job.Device);
        }
        catch
        {
            Dispose();
            throw;
        }

        GpuSessions Sessions(string fusion) => new(job.Device with { CudaFusion = fusion }, device => createSession(bytes, device), cardMemory);
    }

    /// <summary>With sessions of the job's device, whose nodes are all on the card or are listed.</summary>
    public static GpuEngine Create(ExtractionJob job, ExtractionOptions options, CutModel model, int missing)
    {
        var told = new HashSet<string>();
        return new(job, options, model, missing, (bytes, card) => job.Device.CudaFusion == "auto" && card.CudaFusion == "on"
            // The same nodes as without, which were looked at; their kernels may take cuDNN seconds to make for each batch size.
            ? SessionFactory.Create(bytes, card)
            : NodePlacement.CreateChecked(bytes, card, message =>
            {
                if (told.Add(message))
                    options.Message(message);
            }));
    }

    /// <summary>Photos in a batch.</summary>
    public int BatchSize { get; }

    public int Decoders { get; }

    /// <summary><c>on</c> or <c>off</c>: whether convolutions add their bias themselves.</summary>
    public string Fusion { get; private set; }

    public int RowsInFlight => BatchSize * (RingLength + 1);

    /// <summary>Batches in memory: one for each lane, and one for each card that is being filled.</summary>
    private int RingLength => _job.Device.Cards.Count * (GpuSessions.LanesOfACard + 1);

    public IReadOnlyList<Action<CancellationToken>> Workers(ExtractionRun run)
    {
        var decoders = Math.Clamp(Decoders, 1, Math.Max(1, run.Total));
        HostBatch[] batches = [];
        GpuErrors.Guard(() => batches = [.. Enumerable.Range(0, RingLength).Select(_ => new HostBatch(_cards.Host, _model, BatchSize))], BatchSize, _job.Device);
        _owned.InsertRange(0, batches);
        var ring = new BatchRing(batches, BatchSize, run.Total, decoders);
        var work = new List<Action<CancellationToken>>();
        for (var i = 0; i < decoders; i++)
            work.Add(cancellation => new BatchProducer(run, ring).Run(cancellation));
        var createRunner = RunnerFactory();
        foreach (var lane in _cards.Lanes)
        {
            work.Add(_ => lane.Thread.Run(() =>
            {
                IBatchRunner? runner = null;
                GpuErrors.Guard(() => runner = createRunner(lane), BatchSize, _job.Device);
                using (runner)
                    GpuWorker.Run(runner!, run, ring);
            }));
        }

        return work;
    }

    /// <summary>Gives back the batches of a run that is over; another may follow.</summary>
    public void EndRun()
    {
        _owned.ForEach(o => o.Dispose());
        _owned.Clear();
    }

    public void Dispose()
    {
        EndRun();
        _cards.Dispose();
    }

    /// <summary>Makes a lane's runner on the thread that will call it; with CUDA graphs it returns when all lanes have captured theirs.</summary>
    private Func<GpuLane, IBatchRunner> RunnerFactory()
    {
        if (!_job.Device.CudaGraphs)
            return lane => new BoundRunner(lane.Session, _model, lane.Memory, BatchSize);
        var gate = new CaptureGate(_cards.Lanes.Count);
        var scratch = new BatchTensors(_cards.Host, _model, BatchSize).Clear();
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
    /// <param name="sessions">Makes all cards' sessions with bias in convolutions' kernels (<c>on</c>) or apart (<c>off</c>).</param>
    private (int Batch, int Decoders) Sizes(ExtractionOptions options, int missing, Func<string, GpuSessions> sessions)
    {
        var tryDecoders = options.FewerWorkers && options.Workers > 1 && missing >= WorthATrial;
        var largest = Largest(missing);
        if (options.Batch > 0 || largest == 1)
        {
            var given = options.Batch > 0 ? Math.Min(options.Batch, _model.MaxBatch) : 1;
            return (given, tryDecoders ? TryDecoders(options, GuardedRate(given)) : options.Workers);
        }

        var trial = BatchTrial.Run(RateOfFirstCard, () => CudaRuntime.FreeMemory(_cards.Lanes[0].Card), largest);
        var (batch, rate) = trial.Best;
        options.Message($"batches of {batch} photos ({trial}); --batch {batch} skips the trial");
        if (_mayFuse && missing >= WorthATrial)
            rate = TryFusion(options, batch, rate, sessions);
        return (batch, tryDecoders ? TryDecoders(options, rate) : options.Workers);
    }

    /// <summary>Takes whichever is faster, with the bias in the convolutions' kernels or apart, and gives its rate; one after the other, since the card's memory may not hold both.</summary>
    private double TryFusion(ExtractionOptions options, int batch, double apart, Func<string, GpuSessions> sessions)
    {
        var expected = MadeUpVectors(batch);
        _cards.Dispose();
        FusionTrial trial;
        try
        {
            _cards = sessions("on");
            var distance = SyntheticBatch.Distance(expected, MadeUpVectors(batch));
            trial = new(apart, RateOfFirstCard(batch), distance);
        }
        catch (Exception e) when (e is OnnxRuntimeException or JobFailedException)
        {
            trial = new(apart, 0, 0, GpuErrors.Brief(e));
        }

        options.Message(trial.ToString());
        if (trial.Wins)
        {
            Fusion = "on";
            return trial.Within;
        }

        _cards.Dispose();
        _cards = sessions("off");
        return apart;
    }

    private float[][] MadeUpVectors(int size)
    {
        using var batch = new BatchTensors(_cards.Host, _model, size).Clear();
        var (lane, vectors) = (_cards.Lanes[0], Array.Empty<float[]>());
        lane.Thread.Run(() =>
        {
            using var runner = new BoundRunner(lane.Session, _model, lane.Memory, size);
            vectors = SyntheticBatch.Vectors(runner, batch, SyntheticBatch.Noise);
        });
        return vectors;
    }

    private int TryDecoders(ExtractionOptions options, double rateOfACard)
    {
        var (needed, photo) = (rateOfACard * _job.Device.Cards.Count, 0);
        // Compiles the code and is not counted.
        TrialRates.OfDecoding(_job, 1, ref photo);
        var trial = ProducerTrial.Run(threads => TrialRates.OfDecoding(_job, threads, ref photo), needed, options.Workers);
        options.Message(FormattableString.Invariant($"{trial.Best} of {options.Workers} threads decode for {needed:0} photos a second ({trial}); --threads {trial.Best} skips the trial"));
        return trial.Best;
    }

    private double GuardedRate(int size)
    {
        var rate = 0.0;
        GpuErrors.Guard(() => rate = RateOfFirstCard(size), size, _job.Device);
        return rate;
    }

    private double RateOfFirstCard(int size)
    {
        var rate = 0.0;
        GpuErrors.Run(() => rate = TrialRates.OfCard([.. _cards.Lanes.Take(GpuSessions.LanesOfACard)], _cards.Host, _model, size), _job.Device);
        return rate;
    }

    private int Largest(int missing)
    {
        var bytes = 3L * _model.InputHeight * _model.InputWidth + sizeof(float) * _model.Outputs.Sum(o => (long)o.Dimension);
        var host = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / HostShare / RingLength / bytes;
        return (int)Math.Clamp(Math.Min(host, missing), 1, _model.MaxBatch);
    }
}
