using TransferPipeline.Backbones;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Extraction;

/// <summary>
/// On GPUs: all cores read, decode and resize into batches of bytes, and each GPU's session computes them with two batches in flight.
/// Normalization is in the graph.
/// </summary>
/// <param name="plan">Its sessions are disposed of with the engine.</param>
internal sealed class GpuEngine(DeviceOptions device, GpuPlan plan) : IExtractionEngine
{
    private readonly List<IDisposable> _owned = [];

    public GpuPlan Plan => plan;

    public DeviceOptions Device => device;

    public int Decoders => plan.Decoders;

    // Behind one slow photo the ring's batches fill up, and threads wait with photos of the batch after them.
    public int RowsInFlight => plan.BatchSize * (RingLength + 1);

    private int RingLength => GpuPlan.RingLength(device);

    public IReadOnlyList<Action<CancellationToken>> Workers(ExtractionPass pass)
    {
        var decoders = Math.Clamp(plan.Decoders, 1, Math.Max(1, pass.Total));
        var batches = new HostBatch[RingLength];
        for (var i = 0; i < batches.Length; i++)
        {
            GpuErrors.Run(() => batches[i] = new HostBatch(plan.Sessions.Host, plan.Model, plan.BatchSize), plan.BatchSize, device);
            // Each at once: the memory for the next one may not suffice. Released before the sessions, whose allocator they come from.
            _owned.Insert(0, batches[i]);
        }

        var ring = new BatchRing(batches, plan.BatchSize, pass.Total, decoders);
        var work = new List<Action<CancellationToken>>();
        for (var i = 0; i < decoders; i++)
            work.Add(cancellation => new BatchProducer(pass, ring).Run(cancellation));
        var createRunner = RunnerFactory();
        foreach (var lane in plan.Sessions.Lanes)
        {
            // A lane ends when the ring gives no more batch, not by the token: what is filled is still computed.
            work.Add(_ =>
                lane.Thread.Run(() =>
                {
                    IBatchRunner? runner = null;
                    GpuErrors.Run(() => runner = createRunner(lane), plan.BatchSize, device);
                    using (runner)
                        GpuWorker.Run(runner!, pass, ring);
                })
            );
        }

        return work;
    }

    /// <summary>
    /// Makes a lane's runner on the thread that will call it; with CUDA graphs it returns when all lanes have captured theirs.
    /// </summary>
    public Func<GpuLane, IBatchRunner> RunnerFactory()
    {
        if (!device.CudaGraphs)
            return lane => new BoundRunner(lane.Session, plan.Model, lane.Memory, plan.BatchSize);
        var gate = new CaptureGate(plan.Sessions.Lanes.Count);
        // One for all lanes, which pass the gate one after another.
        var scratch = CreateBatch();
        _owned.Insert(0, gate);
        return lane =>
        {
            GraphRunner? runner = null;
            try
            {
                gate.Pass(() =>
                {
                    runner = new GraphRunner(lane.Session, plan.Model, lane.Memory, plan.BatchSize);
                    runner.Prove(scratch);
                });
                return runner!;
            }
            catch
            {
                // The caller gets no runner that it could dispose of.
                runner?.Dispose();
                throw;
            }
        };
    }

    /// <summary>A cleared batch in the host's memory, until the run's end.</summary>
    public BatchTensors CreateBatch()
    {
        var batch = new BatchTensors(plan.Sessions.Host, plan.Model, plan.BatchSize).Clear();
        _owned.Insert(0, batch);
        return batch;
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
        plan.Sessions.Dispose();
    }
}
