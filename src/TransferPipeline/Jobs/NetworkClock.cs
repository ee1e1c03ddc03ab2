using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Extraction;
using TransferPipeline.Inference;

namespace TransferPipeline.Jobs;

/// <summary>Photos per second of a network alone: each thread runs the same synthetic batch again and again.</summary>
internal sealed class NetworkClock : IDisposable
{
    private readonly InferenceSession _session;
    private readonly BackboneRunner[] _runners;

    public NetworkClock(CutModel model, int threads)
    {
        _session = SessionFactory.Create(model, new());
        _runners = [.. Enumerable.Range(0, threads).Select(_ => new BackboneRunner(_session, model, ExtractionSizes.BatchOf(model)))];
        foreach (var runner in _runners)
        {
            var random = RandomStream.OfDraws(1);
            for (var slot = 0; slot < runner.Batch; slot++)
            {
                foreach (ref var value in runner.Pixels(slot))
                    value = (float)((random.Unit() * 2) - 1);
            }

            // A session allocates its buffers in the first run, which is not to be timed.
            runner.Run();
        }
    }

    /// <param name="seconds">At least so long.</param>
    public double Measure(double seconds)
    {
        var (photos, clock) = (0, Stopwatch.StartNew());
        OwnThreads.Run(
            _runners.Length,
            thread =>
            {
                do
                {
                    _runners[thread].Run();
                    Interlocked.Add(ref photos, _runners[thread].Batch);
                } while (clock.Elapsed.TotalSeconds < seconds);
            }
        );
        return photos / clock.Elapsed.TotalSeconds;
    }

    public void Dispose()
    {
        foreach (var runner in _runners)
            runner.Dispose();
        _session.Dispose();
    }
}
