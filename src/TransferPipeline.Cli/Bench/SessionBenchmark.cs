using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Inference;

namespace TransferPipeline.Cli.Bench;

/// <summary>Runs a backbone over the same pixels as fast as it goes.</summary>
internal interface ISessionBenchmark : IDisposable
{
    Rate Measure(int photos);
}

/// <summary>On the CPU, in one layout of sessions and threads.</summary>
internal sealed class SessionBenchmark : ISessionBenchmark
{
    private readonly List<InferenceSession> _sessions = [];
    private readonly List<BackboneRunner> _runners = [];

    public SessionBenchmark(CutModel model, Layout layout)
    {
        for (var i = 0; i < layout.Sessions; i++)
            _sessions.Add(SessionFactory.Create(model, new(), layout.Threads));
        var random = new Random(1);
        for (var i = 0; i < layout.Callers; i++)
        {
            var runner = new BackboneRunner(_sessions[i % _sessions.Count], model, layout.Batch);
            for (var slot = 0; slot < layout.Batch; slot++)
            {
                foreach (ref var value in runner.Pixels(slot))
                    value = random.NextSingle() * 2 - 1;
            }

            _runners.Add(runner);
        }
    }

    /// <summary>
    /// The layouts that are worth a trial: a session that all threads call, a session for each thread, one session with all threads.
    /// </summary>
    public static IEnumerable<Layout> Layouts(int threads, int? maxBatch)
    {
        foreach (var batch in ((int[])[1, 2, 4, 8]).Where(b => b <= (maxBatch ?? b)))
        {
            yield return new(1, threads, 1, batch);
            // With one thread all three are the same.
            if (threads > 1)
            {
                yield return new(threads, threads, 1, batch);
                yield return new(1, 1, threads, batch);
            }
        }
    }

    public Rate Measure(int photos)
    {
        var batch = _runners[0].Batch;
        var batches = (photos + batch - 1) / batch;
        var (nextBatch, nextRunner) = (-1, -1);
        return Rate.Measure(
            // Whole batches are computed, so they are what counts.
            batches * batch,
            () =>
                OwnThreads.Run(
                    _runners.Count,
                    _ =>
                    {
                        var runner = _runners[Interlocked.Increment(ref nextRunner)];
                        while (Interlocked.Increment(ref nextBatch) < batches)
                            runner.Run();
                    }
                )
        );
    }

    public void Dispose()
    {
        _runners.ForEach(r => r.Dispose());
        _sessions.ForEach(s => s.Dispose());
    }

    /// <param name="Callers">Threads that call the sessions.</param>
    /// <param name="Threads">Threads inside one call.</param>
    internal readonly record struct Layout(int Sessions, int Callers, int Threads, int Batch)
    {
        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Sessions} session{(Sessions == 1 ? "" : "s")} x {Threads} thread{(Threads == 1 ? "" : "s")}, {Callers} "
                    + $"caller{(Callers == 1 ? "" : "s")}, batch {Batch}"
            );
    }
}
