using System.Diagnostics;
using TransferPipeline.Backbones;
using TransferPipeline.Extraction.Resume;
using TransferPipeline.Features;
using TransferPipeline.Inference;

namespace TransferPipeline.Extraction;

/// <summary>A feature set that a pass fills.</summary>
/// <param name="Writer">Writes its parts.</param>
/// <param name="Plan">Which of its vectors are missing.</param>
/// <param name="Cut">The backbone's output that holds its vectors; null when nothing is missing anywhere.</param>
internal sealed record ExtractionTarget(SetWriter Writer, ResumePlan Plan, CutOutput? Cut)
{
    private float[]? _first;
    private string? _photo;
    private bool _photosDiffer;
    private bool _vectorsDiffer;

    /// <summary>Vectors computed and committed.</summary>
    public int Computed { get; set; }

    /// <summary>Photos of different content were computed, and all have the same vector.</summary>
    public bool IsConstant => _photosDiffer && !_vectorsDiffer;

    /// <summary>Compares the vectors of a part with the first one.</summary>
    public void Compare(PartBuffer part, int output)
    {
        for (var slot = 0; slot < part.Count && !_vectorsDiffer; slot++)
        {
            if (part.Rows[slot] is not { } row)
                continue;
            var vector = part.Vectors[output].Row(slot);
            _first ??= vector.ToArray();
            _photo ??= row.ImageSha256;
            _photosDiffer |= row.ImageSha256 != _photo;
            _vectorsDiffer = !vector.SequenceEqual(_first);
        }
    }
}

/// <summary>
/// One pass over the photos that are missing somewhere: starts the workers, writes finished parts in order, reports the progress.
/// </summary>
internal sealed class ExtractionPass
{
    private readonly ExtractionOptions _options;
    private readonly IReadOnlyList<ExtractionTarget> _targets;
    private readonly WantedVectors _wanted;
    private readonly SemaphoreSlim _finished = new(0);
    private int _written;

    /// <param name="targets">One for each output of the backbone, in their order.</param>
    public ExtractionPass(
        ExtractionSpec spec,
        ExtractionOptions options,
        IReadOnlyList<ExtractionTarget> targets,
        WantedVectors wanted,
        int rowsInFlight
    )
    {
        (Spec, _options, _targets, _wanted) = (spec, options, targets, wanted);
        var slots = MissingSlots();
        int[] dimensions = [.. targets.Select(t => t.Cut!.Dimension)];
        var rowsPerPart = options.RowsPerPart ?? ExtractionSizes.RowsPerPart(dimensions.Sum());
        (Total, Queue) = (slots.Length, new(slots, rowsPerPart, dimensions, rowsInFlight));
    }

    public ExtractionSpec Spec { get; }

    /// <summary>Vectors to compute.</summary>
    public int Total { get; }

    public WorkQueue Queue { get; }

    public WorkerTimes Times { get; } = new();

    /// <summary>Of everything after the model is loaded.</summary>
    public Rate Rate { get; private set; }

    /// <summary>Computes everything; when cancelled or failing, first commits what was computed.</summary>
    public void Run(IExtractionEngine engine, CancellationToken cancellation) =>
        Rate = Rate.Measure(Total, () => Compute(engine, cancellation));

    /// <summary>Marks slots of a part as done and wakes the writer when that finishes the part; called by the workers.</summary>
    public void Finish(PartBuffer part, int slots)
    {
        Times.Finish(slots);
        if (part.Finish(slots))
            _finished.Release();
    }

    private void Compute(IExtractionEngine engine, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var errors = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
        var workers = engine.Workers(this);
        using var running = new CountdownEvent(workers.Count);
        // Threads of their own: each computes or blocks as long as the run lasts, which would exhaust the pool.
        var threads = workers
            .Select((work, i) => new Thread(() => Work(work, stop, errors, running)) { IsBackground = true, Name = $"extract {i}" })
            .ToList();
        threads.ForEach(t => t.Start());
        IOException? writeError;
        try
        {
            writeError = Write(running, stop);
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
            writeError = WriteRest();
        if (writeError is not null)
            throw new JobFailedException(
                $"{_targets[0].Writer.Folder} cannot be written ({writeError.FirstLine()}); what was committed before is kept: make "
                    + $"room and run again",
                writeError
            );
        // The first one; later ones are what stopping the other workers brings.
        if (errors.TryDequeue(out var error))
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
        cancellation.ThrowIfCancellationRequested();
    }

    private void Work(
        Action<CancellationToken> work,
        CancellationTokenSource stop,
        System.Collections.Concurrent.ConcurrentQueue<Exception> errors,
        CountdownEvent running
    )
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
            // The writer waits for the last worker, too.
            _finished.Release();
        }
    }

    private IOException? Write(CountdownEvent running, CancellationTokenSource stop)
    {
        var clock = Stopwatch.StartNew();
        var reported = TimeSpan.Zero;
        Report(clock);
        while (true)
        {
            // With a limit, so that progress is reported while photos are slow.
            // Without the token, since a cancelled run still writes what is done.
            _finished.Wait(100, CancellationToken.None);
            while (Queue.TakeFinished(_written) is { } part)
            {
                if (TryWrite(part) is { } error)
                {
                    stop.Cancel();
                    return error;
                }

                _written++;
                Queue.Release(part);
            }

            if (clock.Elapsed - reported > TimeSpan.FromMilliseconds(100))
            {
                Report(clock);
                reported = clock.Elapsed;
            }

            // In this order: a worker's last part is finished before the worker has ended.
            if (running.IsSet && Queue.TakeFinished(_written) is null)
            {
                Report(clock);
                return null;
            }
        }
    }

    private IOException? WriteRest()
    {
        foreach (var part in Queue.Started())
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
            for (var i = 0; i < _targets.Count; i++)
            {
                var (target, missing) = (_targets[i], _targets[i].Plan.Missing);
                // One pass serves all sets, and a vector may be missing in some of them only.
                target.Computed += target.Writer.Append(part, i, _wanted.Position, p => missing[p]);
                target.Compare(part, i);
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JobFailedException)
        {
            return e as IOException ?? new IOException(e.Message, e);
        }
        finally
        {
            Times.Write(time);
        }
    }

    private void Report(Stopwatch clock)
    {
        if (_options.Progress is not { } progress)
            return;
        var done = Times.Done;
        var rate = done / Math.Max(1e-9, clock.Elapsed.TotalSeconds);
        var left = done == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((Total - done) / rate);
        progress.Report(new(done, Total, rate, left) { Shares = Times.Shares() });
    }

    private (int Entry, int View)[] MissingSlots()
    {
        // In the dataset's order, from which a vector's part and batch follow.
        var slots = new List<(int, int)>();
        for (var entry = _wanted.FirstEntry; entry < _wanted.EndEntry; entry++)
        {
            for (var view = 0; view < _wanted.Views(entry); view++)
            {
                if (_targets.Any(t => t.Plan.Missing[_wanted.Position(entry, view)]))
                    slots.Add((entry, view));
            }
        }

        return [.. slots];
    }
}
