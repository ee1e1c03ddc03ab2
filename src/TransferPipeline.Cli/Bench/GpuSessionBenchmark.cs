using System.Globalization;
using TransferPipeline.Extraction;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Cli.Bench;

/// <summary>The GPUs alone, as an extraction feeds them: bytes from pinned memory in, vectors out.</summary>
/// <param name="engine">Its sessions serve this and whole extractions.</param>
internal sealed class GpuSessionBenchmark(GpuEngine engine) : ISessionBenchmark
{
    public string Layout =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{engine.Device}, {GpuSessions.LanesPerGpu} batches in flight per GPU, batch "
                + $"{engine.Plan.BatchSize}{(engine.Plan.Fusion == CudaFusion.On ? ", bias in convolutions" : "")}"
                + $"{(engine.Device.CudaGraphs ? ", CUDA graphs" : "")}"
        );

    public int Decoders => engine.Decoders;

    /// <summary>The engine for one of several runs: its sessions stay.</summary>
    public IExtractionEngine Lend() => new Lent(engine);

    /// <summary>All lanes of all GPUs compute the same pixels again and again. Their start is not counted.</summary>
    public Rate Measure(int photos)
    {
        var (size, lanes) = (engine.Plan.BatchSize, engine.Plan.Sessions.Lanes);
        var (batches, next) = ((photos + size - 1) / size, 0);
        // The first run of a lane chooses and compiles kernels: all lanes wait behind it until the time starts.
        using var ready = new CountdownEvent(lanes.Count);
        using var start = new ManualResetEventSlim();
        var createRunner = engine.RunnerFactory();
        // Before the first lane captures its graph: allocating breaks a capture.
        var memory = lanes.Select(_ => engine.CreateBatch()).ToList();
        var running = lanes.Select((lane, i) => lane.Thread.Start(() => Compute(lane, memory[i]))).ToList();
        ready.Wait();
        return Rate.Measure(
            batches * size,
            () =>
            {
                start.Set();
                Task.WhenAll(running).GetAwaiter().GetResult();
            }
        );

        void Compute(GpuLane lane, BatchTensors batch)
        {
            IBatchRunner? runner = null;
            try
            {
                GpuErrors.Run(() => (runner = createRunner(lane)).Run(batch), size, engine.Device);
            }
            finally
            {
                // Also after an error, or Wait would never return; the error comes from the task.
                ready.Signal();
            }

            using (runner)
            {
                start.Wait();
                while (Interlocked.Increment(ref next) <= batches)
                    runner!.Run(batch);
            }
        }
    }

    public void Dispose() => engine.Dispose();

    private sealed class Lent(GpuEngine engine) : IExtractionEngine
    {
        public int Decoders => engine.Decoders;

        public int RowsInFlight => engine.RowsInFlight;

        public IReadOnlyList<Action<CancellationToken>> Workers(ExtractionPass pass) => engine.Workers(pass);

        // The extractor disposes its engine after each run; the sessions stay for the next round.
        public void Dispose() => engine.EndRun();
    }
}
