using System.Globalization;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Extraction;

/// <summary>The cards alone, as an extraction feeds them.</summary>
internal sealed partial class GpuEngine : ISessionBenchmark
{
    public string Layout => string.Create(CultureInfo.InvariantCulture, $"{_job.Device}, {GpuSessions.LanesOfACard} batches in flight a card, batch {BatchSize}{(Fusion == "on" ? ", bias in convolutions" : "")}{(_job.Device.CudaGraphs ? ", CUDA graphs" : "")}");

    /// <summary>This engine for one of several runs: its sessions stay.</summary>
    public IExtractionEngine Lend() => new Lent(this);

    /// <summary>All lanes of all cards compute the same pixels again and again: bytes from pinned memory in, vectors out. Their start is not counted.</summary>
    public Rate Measure(int photos)
    {
        var (batches, next) = ((photos + BatchSize - 1) / BatchSize, 0);
        using var ready = new CountdownEvent(_cards.Lanes.Count);
        using var start = new ManualResetEventSlim();
        var createRunner = RunnerFactory();
        // Before the first lane captures its graph: allocating breaks a capture.
        var memory = _cards.Lanes.Select(_ => new BatchTensors(_cards.Host, _model, BatchSize).Clear()).ToList();
        _owned.InsertRange(0, memory);
        var lanes = _cards.Lanes.Select((lane, i) => lane.Thread.Start(() => Compute(lane, memory[i]))).ToList();
        ready.Wait();
        return Rate.Measure(batches * BatchSize, () =>
        {
            start.Set();
            Task.WhenAll(lanes).GetAwaiter().GetResult();
        });

        void Compute(GpuLane lane, BatchTensors batch)
        {
            IBatchRunner? runner = null;
            try
            {
                GpuErrors.Guard(() => (runner = createRunner(lane)).Run(batch), BatchSize, _job.Device);
            }
            finally
            {
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

    private sealed class Lent(GpuEngine engine) : IExtractionEngine
    {
        public int Decoders => engine.Decoders;

        public int RowsInFlight => engine.RowsInFlight;

        public IReadOnlyList<Action<CancellationToken>> Workers(ExtractionRun run) => engine.Workers(run);

        public void Dispose() => engine.EndRun();
    }
}
