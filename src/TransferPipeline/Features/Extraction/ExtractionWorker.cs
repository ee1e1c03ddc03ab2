using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Images;

namespace TransferPipeline.Features.Extraction;

/// <summary>
/// Takes photos from file to vector on one thread, with nothing handed over on the way: reads, hashes, decodes and preprocesses a
/// few photos, then runs the session on them batch by batch: decoder and network each find their own data in the cache again.
/// </summary>
internal sealed class ExtractionWorker : IDisposable
{
    private readonly ExtractionRun _run;
    private readonly WorkQueue _queue;
    private readonly WorkerTimes _times;
    private readonly TensorLayout _layout;
    private readonly BackboneRunner[] _runners;
    private readonly Preprocessor _preprocessor;
    private readonly IViewRenderer? _renderer;
    private readonly PhotoReader _reader;
    private readonly (PartBuffer Part, int Slot, FeatureRow Row)[] _group;
    private int _filled;

    public ExtractionWorker(ExtractionRun run, InferenceSession session, CutModel model, int batch)
    {
        (_run, _queue, _times) = (run, run.Queue, run.Times);
        _reader = new(run.Job, run.Times);
        _layout = model.Layout;
        _runners = [.. Enumerable.Range(0, Math.Max(1, ExtractionSizes.Group / batch)).Select(_ => new BackboneRunner(session, model, batch))];
        _preprocessor = new(run.Job.Preprocessing);
        _renderer = run.Job.Views is { Count: > 0 } views ? views.CreateRenderer() : null;
        _group = new (PartBuffer, int, FeatureRow)[_runners.Length * batch];
    }

    /// <summary>Works until there are no photos left; when cancelled, finishes the vectors whose pixels are ready and returns.</summary>
    public void Run(CancellationToken cancellation)
    {
        try
        {
            while (!cancellation.IsCancellationRequested)
            {
                // What is in the batch may be all that the writer waits for: no waiting before it is done.
                var item = _queue.Next(mayWait: _filled == 0, cancellation, out var end);
                if (item is { } photo)
                    Do(photo);
                else if (end)
                    break;
                else
                    Flush();
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }

        Flush();
    }

    public void Dispose() => Array.ForEach(_runners, r => r.Dispose());

    private void Do(WorkItem item)
    {
        var time = Stopwatch.GetTimestamp();
        var filled = 0;
        try
        {
            var row = _reader.Read(item.Part.Slots[item.First].Entry, item.IsPlain ? _preprocessor : null, ref time);
            for (; filled < item.Count; filled++)
                time = Fill(item.Part, item.First + filled, row, time);
        }
        catch (Exception e) when (PhotoReader.IsOfPhoto(e))
        {
            _reader.Fail(item, e);
            _run.Finish(item.Part, item.Count - filled);
        }
    }

    private long Fill(PartBuffer part, int slot, FeatureRow row, long time)
    {
        var view = part.Slots[slot].View;
        var batch = _runners[0].Batch;
        var pixels = _runners[_filled / batch].Pixels(_filled % batch);
        if (view == 0)
            _preprocessor.Run(_reader.Photo, pixels, _layout);
        else
            _renderer!.Render(_reader.Photo, row.ImageSha256, view, pixels, _layout);
        time = _times.Preprocess(time);
        _group[_filled++] = (part, slot, view == 0 ? row : row with { View = view });
        return _filled == _group.Length ? Flush() : time;
    }

    private long Flush()
    {
        var time = Stopwatch.GetTimestamp();
        if (_filled == 0)
            return time;
        for (var i = 0; i < _filled; i++)
        {
            var (runner, slot) = (_runners[i / _runners[0].Batch], i % _runners[0].Batch);
            if (slot == 0)
                runner.Run();
            Take(runner, slot, _group[i]);
        }

        time = _times.Infer(time);
        for (var i = 0; i < _filled; i++)
            _run.Finish(_group[i].Part, 1);
        _filled = 0;
        return time;
    }

    private static void Take(BackboneRunner runner, int at, (PartBuffer Part, int Slot, FeatureRow Row) photo)
    {
        var (part, slot, row) = photo;
        for (var output = 0; output < part.Vectors.Length; output++)
        {
            var vector = runner.Vectors(output).Row(at);
            PhotoReader.RequireFinite(vector, row.Path);
            vector.CopyTo(part.Vectors[output].Row(slot));
        }

        part.Rows[slot] = row;
    }
}
