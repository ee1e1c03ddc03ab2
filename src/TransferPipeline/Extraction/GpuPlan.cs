using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;
using TransferPipeline.Inference.Gpu.Cuda;

namespace TransferPipeline.Extraction;

/// <summary>Makes the session of one GPU; tests give the CPU's.</summary>
internal delegate InferenceSession GpuSessionFactory(CutModel model, DeviceOptions device);

/// <summary>Memory of one GPU; tests give plain memory.</summary>
internal delegate TensorMemory GpuMemoryFactory(InferenceSession session, int gpu);

/// <summary>How an extraction uses its GPUs: what was given, or what trials at the start found.</summary>
/// <param name="Model">The cut that takes bytes; its graph is in the sessions.</param>
/// <param name="Sessions">Warm: the first batch of the run computes at full speed.</param>
/// <param name="BatchSize">Photos in a batch.</param>
/// <param name="Decoders">Threads that read, decode and resize.</param>
/// <param name="Fusion">Chosen, no longer auto: whether convolutions add their bias themselves.</param>
internal sealed record GpuPlan(CutModel Model, GpuSessions Sessions, int BatchSize, int Decoders, CudaFusion Fusion)
{
    /// <summary>Batches in memory: one for each lane, and one for each GPU that is being filled.</summary>
    public static int RingLength(DeviceOptions device) => device.Gpus.Count * (GpuSessions.LanesPerGpu + 1);

    /// <summary>With sessions whose nodes are all on the GPU or are listed.</summary>
    public static GpuPlan Measure(ExtractionSpec spec, ExtractionOptions options, CutModel model, int missing)
    {
        // Every GPU's session has the same nodes: one line is enough.
        var reported = new HashSet<string>();
        return Measure(
            spec,
            options,
            model,
            missing,
            (bytes, device) =>
                spec.Device.CudaFusion == CudaFusion.Auto && device.CudaFusion == CudaFusion.On
                    // The same nodes as without fusion, whose placement was checked; their kernels may take cuDNN seconds to make for each
                    // batch size.
                    ? SessionFactory.Create(bytes, device)
                    : NodePlacement.CreateChecked(
                        bytes,
                        device,
                        message =>
                        {
                            if (reported.Add(message))
                                options.Message(message);
                        }
                    )
        );
    }

    /// <summary>Makes the sessions, finds what was not given by trials, which takes seconds, and warms the GPUs up.</summary>
    /// <param name="missing">Vectors to compute.</param>
    /// <exception cref="JobFailedException">A GPU cannot be used, or its memory is too small.</exception>
    public static GpuPlan Measure(
        ExtractionSpec spec,
        ExtractionOptions options,
        CutModel model,
        int missing,
        GpuSessionFactory createSession,
        GpuMemoryFactory? gpuMemory = null
    )
    {
        using var trials = new GpuTrials(
            spec,
            options,
            model,
            createSession,
            gpuMemory ?? (spec.Device.IsCpu ? (_, _) => TensorMemory.Plain() : TensorMemory.OnGpu)
        );
        return trials.Run(missing);
    }
}

/// <summary>The trials of a plan. Their sessions become the plan's; without a plan they are disposed of with this.</summary>
internal sealed class GpuTrials : IDisposable
{
    /// <summary>Below this number of vectors a run is over before it pays to find how many threads should decode.</summary>
    private const int WorthATrial = 4096;

    /// <summary>Share of the host's memory that batches may take.</summary>
    private const int HostShare = 4;

    private readonly ExtractionSpec _spec;
    private readonly ExtractionOptions _options;
    private readonly CutModel _model;
    private readonly Func<CudaFusion, GpuSessions> _createSessions;
    private readonly bool _mayFuse;
    private GpuSessions? _sessions;

    public GpuTrials(
        ExtractionSpec spec,
        ExtractionOptions options,
        CutModel model,
        GpuSessionFactory createSession,
        GpuMemoryFactory gpuMemory
    )
    {
        (_spec, _options) = (spec, options);
        // The sessions take the graph; the plan, which lives as long as the run, keeps the cut without it.
        var bytes = PixelInput.Apply(model, spec.Preprocessing);
        _model = bytes with { Model = new() };
        _mayFuse =
            spec.Device.CudaFusion == CudaFusion.Auto
            && spec.Device.Provider != Provider.TensorRt
            && SessionFactory.MayFuse(bytes, spec.Device);
        _createSessions = fusion =>
            new(
                spec.Device with
                {
                    CudaFusion = fusion,
                },
                device => createSession(bytes, device),
                (session, gpu) => gpuMemory(session, gpu)
            );
    }

    private GpuSessions Sessions => _sessions!;

    public GpuPlan Run(int missing)
    {
        // Auto begins without fusion, whose trial compares with the rate at the batch that is found.
        var fusion = _spec.Device.CudaFusion == CudaFusion.On ? CudaFusion.On : CudaFusion.Off;
        _sessions = _createSessions(fusion);
        var tryDecoders = _options is { FewerWorkers: true, Workers: > 1 } && missing >= WorthATrial;
        var largest = Largest(missing);
        int batch;
        double? rate = null;
        if (_options.Batch > 0 || largest == 1)
        {
            batch = _options.Batch > 0 ? _model.AtMost(_options.Batch) : 1;
        }
        else
        {
            var trial = BatchTrial.Run(RateOfFirstGpu, () => CudaRuntime.FreeMemory(Sessions.Lanes[0].Gpu), largest);
            batch = trial.Best.Batch;
            rate = trial.Best.PerSecond;
            _options.Message($"batches of {batch} photos ({trial}); --batch {batch} skips the trial");
            if (_mayFuse && missing >= WorthATrial)
                (fusion, rate) = TryFusion(batch, rate.Value);
        }

        // With --batch no trial has measured the GPU yet, whose rate decides on the threads.
        var decoders = tryDecoders ? TryDecoders(rate ?? GuardedRate(batch)) : _options.Workers;
        GpuErrors.Run(() => TrialRates.Warm(Sessions.Lanes, Sessions.Host, _model, batch), batch, _spec.Device);
        var plan = new GpuPlan(_model, Sessions, batch, decoders, fusion);
        // From here on they are the plan's.
        _sessions = null;
        return plan;
    }

    public void Dispose() => _sessions?.Dispose();

    /// <summary>
    /// Takes whichever is faster, with the bias in the convolutions' kernels or apart, and returns its rate; one after the other, since
    /// the GPU's memory may not hold both.
    /// </summary>
    private (CudaFusion Fusion, double Rate) TryFusion(int batch, double apart)
    {
        var expected = SyntheticVectors(batch);
        FusionTrial trial;
        try
        {
            Replace(CudaFusion.On);
            var distance = SyntheticBatch.Distance(expected, SyntheticVectors(batch));
            trial = new(apart, RateOfFirstGpu(batch), distance);
        }
        catch (Exception e) when (e is OnnxRuntimeException or JobFailedException)
        {
            // Kernels that fail end the trial, not the run, which works without them.
            trial = new(apart, 0, 0, GpuErrors.Brief(e));
        }

        _options.Message(trial.ToString());
        if (trial.Wins)
            return (CudaFusion.On, trial.Within);
        Replace(CudaFusion.Off);
        return (CudaFusion.Off, apart);
    }

    private void Replace(CudaFusion fusion)
    {
        _sessions?.Dispose();
        // A failure to make the others must not dispose of these twice.
        _sessions = null;
        _sessions = _createSessions(fusion);
    }

    private float[][] SyntheticVectors(int size)
    {
        using var batch = new BatchTensors(Sessions.Host, _model, size).Clear();
        var (lane, vectors) = (Sessions.Lanes[0], Array.Empty<float[]>());
        lane.Thread.Run(() =>
        {
            using var runner = new BoundRunner(lane.Session, _model, lane.Memory, size);
            vectors = SyntheticBatch.Vectors(runner, batch, SyntheticBatch.Noise);
        });
        return vectors;
    }

    /// <param name="rate">Photos per second of one GPU.</param>
    private int TryDecoders(double rate)
    {
        // One GPU was measured; the others of a run are taken to be like it.
        var (needed, photo) = (rate * _spec.Device.Gpus.Count, 0);
        // Compiles the code and is not counted.
        TrialRates.OfDecoding(_spec, 1, ref photo);
        var trial = ProducerTrial.Run(threads => TrialRates.OfDecoding(_spec, threads, ref photo), needed, _options.Workers);
        _options.Message(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{trial.Best} of {_options.Workers} threads decode for {needed:0} photos per second ({trial}); --threads {trial.Best} "
                    + $"skips the trial"
            )
        );
        return trial.Best;
    }

    private double GuardedRate(int size)
    {
        var rate = 0.0;
        GpuErrors.Run(() => rate = RateOfFirstGpu(size), size, _spec.Device);
        return rate;
    }

    private double RateOfFirstGpu(int size)
    {
        var rate = 0.0;
        GpuErrors.Run(
            () => rate = TrialRates.OfGpu([.. Sessions.Lanes.Take(GpuSessions.LanesPerGpu)], Sessions.Host, _model, size),
            _spec.Device
        );
        return rate;
    }

    private int Largest(int missing)
    {
        var bytes = 3L * _model.InputHeight * _model.InputWidth + sizeof(float) * _model.Outputs.Sum(o => (long)o.Dimension);
        // What .NET calls available is a container's limit where there is one.
        var host = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / HostShare / GpuPlan.RingLength(_spec.Device) / bytes;
        return _model.AtMost((int)Math.Clamp(host, 1, Math.Max(1, missing)));
    }
}
