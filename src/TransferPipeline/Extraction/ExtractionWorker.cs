using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;

namespace TransferPipeline.Extraction;

/// <summary>
/// Takes photos from file to vector on one thread, with nothing handed over on the way: reads, hashes, decodes and preprocesses a
/// batch of photos, then runs the session on it.
/// </summary>
internal sealed class ExtractionWorker : IDisposable
{
    private readonly ExtractionRun _run;
    private readonly WorkQueue _queue;
    private readonly WorkerTimes _times;
    private readonly TensorLayout _layout;
    private readonly BackboneRunner _runner;
    private readonly Preprocessor _preprocessor;
    private readonly IViewRenderer? _renderer;
    private readonly PhotoReader _reader;
    private readonly (PartBuffer Part, int Slot, FeatureRow Row)[] _batch;
    private int _filled;

    public ExtractionWorker(ExtractionRun run, InferenceSession session, CutModel model, int batch)
    {
        (_run, _queue, _times) = (run, run.Queue, run.Times);
        _reader = new(run.Job, run.Times);
        _layout = model.Layout;
        _runner = new(session, model, batch);
        _preprocessor = new(run.Job.Preprocessing);
        _renderer = run.Job.Views is { Count: > 0 } views ? views.CreateRenderer() : null;
        _batch = new (PartBuffer, int, FeatureRow)[batch];
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

    public void Dispose() => _runner.Dispose();

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
        var pixels = _runner.Pixels(_filled);
        if (view == 0)
            _preprocessor.Run(_reader.Photo, pixels, _layout);
        else
            _renderer!.Render(_reader.Photo, row.ImageSha256, view, pixels, _layout);
        time = _times.Preprocess(time);
        _batch[_filled++] = (part, slot, view == 0 ? row : row with { View = view });
        return _filled == _batch.Length ? Flush() : time;
    }

    private long Flush()
    {
        var time = Stopwatch.GetTimestamp();
        if (_filled == 0)
            return time;
        _runner.Run();
        for (var i = 0; i < _filled; i++)
            Take(i, _batch[i]);

        time = _times.Infer(time);
        for (var i = 0; i < _filled; i++)
            _run.Finish(_batch[i].Part, 1);
        _filled = 0;
        return time;
    }

    private void Take(int at, (PartBuffer Part, int Slot, FeatureRow Row) photo)
    {
        var (part, slot, row) = photo;
        for (var output = 0; output < part.Vectors.Length; output++)
        {
            var vector = _runner.Vectors(output).Row(at);
            PhotoReader.RequireFinite(vector, row.Path);
            vector.CopyTo(part.Vectors[output].Row(slot));
        }

        part.Rows[slot] = row;
    }
}
