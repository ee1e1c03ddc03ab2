using System.Diagnostics;
using TransferPipeline.Backbones;
using TransferPipeline.Extraction.Resume;
using TransferPipeline.Features;
using TransferPipeline.Inference;

namespace TransferPipeline.Extraction;

/// <summary>One pass over the photos that are missing somewhere: starts the workers, writes finished parts in order, tells the progress.</summary>
internal sealed class ExtractionPass(ExtractionJob job, ExtractionOptions options, IExtractionEngine engine, CutModel model, IReadOnlyList<SetWriter> writers, IReadOnlyList<ResumePlan> plans, ExtractionTargets targets)
{
    private readonly WorkerTimes _times = new();
    private readonly SemaphoreSlim _finished = new(0);
    private int _written;

    /// <summary>Vectors computed and committed, by output.</summary>
    public int[] Computed { get; } = new int[writers.Count];

    public WorkerTimes Times => _times;

    /// <summary>Of everything after the model is loaded.</summary>
    public Rate Rate { get; private set; }

    /// <summary>Computes everything; when cancelled or failing, first commits what was computed.</summary>
    public void Run(CancellationToken cancellation)
    {
        var slots = MissingSlots();
        int[] dimensions = [.. model.Outputs.Select(o => o.Dimension)];
        var rowsPerPart = options.RowsPerPart > 0 ? options.RowsPerPart : ExtractionSizes.RowsPerPart(dimensions.Sum());
        var queue = new WorkQueue(slots, rowsPerPart, dimensions, engine.RowsInFlight);
        Rate = Rate.Measure(slots.Length, () => Run(queue, slots.Length, cancellation));
    }

    private void Run(WorkQueue queue, int total, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var errors = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
        var workers = engine.Workers(new(job, queue, _times, _finished, total));
        using var running = new CountdownEvent(workers.Count);
        var threads = workers.Select((work, i) => new Thread(() => Work(work, stop, errors, running))
        {
            IsBackground = true,
            Name = $"extract {i}",
        }).ToList();
        threads.ForEach(t => t.Start());
        IOException? writeError;
        try
        {
            writeError = Write(queue, total, running, stop);
        }
        catch
        {
            // Workers use what this method disposes of.
            stop.Cancel();
            throw;
        }
        finally
        {
            threads.ForEach(t => t.Join());
        }

        // What is left when the run was stopped: rows that are done in parts that are not.
        if (writeError is null)
            writeError = WriteRest(queue);
        if (writeError is not null)
            throw new JobFailedException($"{writers[0].Folder} cannot be written ({writeError.FirstLine()}); what was committed before is kept: make room and run again", writeError);
        if (errors.TryDequeue(out var error))
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
        cancellation.ThrowIfCancellationRequested();
    }

    private void Work(Action<CancellationToken> work, CancellationTokenSource stop, System.Collections.Concurrent.ConcurrentQueue<Exception> errors, CountdownEvent running)
    {
        try
        {
            work(stop.Token);
        }
        catch (Exception e)
        {
            // Rethrown by the main thread when all workers have ended.
            errors.Enqueue(e);
            stop.Cancel();
        }
        finally
        {
            running.Signal();
            _finished.Release();
        }
    }

    private IOException? Write(WorkQueue queue, int total, CountdownEvent running, CancellationTokenSource stop)
    {
        var clock = Stopwatch.StartNew();
        var reported = TimeSpan.Zero;
        Report(clock, total);
        while (true)
        {
            _finished.Wait(100, CancellationToken.None);
            while (queue.TakeFinished(_written) is { } part)
            {
                if (TryWrite(part) is { } error)
                {
                    stop.Cancel();
                    return error;
                }

                _written++;
                queue.Release(part);
            }

            if (clock.Elapsed - reported > TimeSpan.FromMilliseconds(100))
            {
                Report(clock, total);
                reported = clock.Elapsed;
            }

            if (running.IsSet && queue.TakeFinished(_written) is null)
            {
                Report(clock, total);
                return null;
            }
        }
    }

    private IOException? WriteRest(WorkQueue queue)
    {
        foreach (var part in queue.Started())
        {
            if (TryWrite(part) is { } error)
                return error;
        }

        return null;
    }

    private IOException? TryWrite(PartBuffer part)
    {
        var time = Stopwatch.GetTimestamp();
        try
        {
            for (var i = 0; i < writers.Count; i++)
            {
                var missing = plans[i].Missing;
                Computed[i] += writers[i].Append(part, i, targets.Position, p => missing[p]);
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JobFailedException)
        {
            return e as IOException ?? new IOException(e.Message, e);
        }
        finally
        {
            _times.Write(time);
        }
    }

    private void Report(Stopwatch clock, int total)
    {
        if (options.Progress is not { } progress)
            return;
        var done = _times.Done;
        var rate = done / Math.Max(1e-9, clock.Elapsed.TotalSeconds);
        var left = done == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((total - done) / rate);
        progress.Report(new(done, total, rate, left, _times.Shares()));
    }

    private (int Entry, int View)[] MissingSlots()
    {
        var slots = new List<(int, int)>();
        for (var entry = targets.FirstEntry; entry < targets.EndEntry; entry++)
        {
            for (var view = 0; view < targets.Views(entry); view++)
            {
                if (plans.Any(p => p.Missing[targets.Position(entry, view)]))
                    slots.Add((entry, view));
            }
        }

        return [.. slots];
    }
}
