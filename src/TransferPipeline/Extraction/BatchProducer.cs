using System.Diagnostics;
using TransferPipeline.Images;

namespace TransferPipeline.Extraction;

/// <summary>One of the threads that read, decode and resize photos into the batches' bytes.</summary>
internal sealed class BatchProducer(ExtractionRun run, BatchRing ring)
{
    private readonly PhotoReader _reader = new(run.Job, run.Times);
    private readonly Preprocessor _preprocessor = new(run.Job.Preprocessing);
    private readonly IViewRenderer? _renderer = run.Job.Views is { Count: > 0 } views ? views.CreateRenderer() : null;

    public void Run(CancellationToken cancellation)
    {
        try
        {
            while (!cancellation.IsCancellationRequested && run.Queue.Next(mayWait: true, cancellation, out _) is { } photo)
                Do(photo, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }
        finally
        {
            ring.Leave();
        }
    }

    private void Do(WorkItem item, CancellationToken cancellation)
    {
        var time = Stopwatch.GetTimestamp();
        var filled = 0;
        try
        {
            var row = _reader.Read(item.Part.Slots[item.First].Entry, item.IsPlain ? _preprocessor : null, ref time);
            for (; filled < item.Count; filled++)
            {
                var view = item.Part.Slots[item.First + filled].View;
                var (batch, slot) = ring.Enter(item.Sequence + filled, cancellation);
                // Waiting for a free batch is not this photo's work.
                time = Stopwatch.GetTimestamp();
                if (view == 0)
                    _preprocessor.RunBytes(_reader.Photo, batch.Tensors.Pixels(slot));
                else
                    _renderer!.RenderBytes(_reader.Photo, row.ImageSha256, view, batch.Tensors.Pixels(slot));
                batch.Items[slot] = (item.Part, item.First + filled, view == 0 ? row : row with { View = view });
                time = run.Times.Preprocess(time);
                ring.Done(batch);
            }
        }
        catch (Exception e) when (PhotoReader.IsOfPhoto(e))
        {
            _reader.Fail(item, e);
            run.Finish(item.Part, item.Count - filled);
            for (; filled < item.Count; filled++)
                ring.Done(ring.Enter(item.Sequence + filled, cancellation).Batch);
        }
    }
}
