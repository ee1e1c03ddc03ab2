namespace TransferPipeline.Extraction;

/// <summary>One of the threads that read, decode and resize photos into the batches' bytes.</summary>
internal sealed class BatchProducer(ExtractionPass pass, BatchRing ring)
{
    private readonly PhotoSource _source = new(pass.Spec, pass.Times);

    public void Run(CancellationToken cancellation)
    {
        try
        {
            // It may wait for the writer: there are parts enough for all batches that are open (WorkQueue).
            while (!cancellation.IsCancellationRequested && pass.Queue.Next(mayWait: true, cancellation, out _) is { } photo)
                Do(photo, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested) { }
        finally
        {
            // After an error too, since lanes wait for batches until the last decoder has left.
            ring.Leave();
        }
    }

    private void Do(WorkItem item, CancellationToken cancellation)
    {
        var filled = 0;
        try
        {
            _source.Read(item.Entry, item.IsPlain);
            for (; filled < item.Count; filled++)
            {
                var (batch, slot) = ring.Enter(item.Sequence + filled, cancellation);
                var row = _source.WriteBytes(item.Part.Slots[item.First + filled].View, batch.Tensors.Pixels(slot));
                batch.Items[slot] = (item.Part, item.First + filled, row);
                ring.Done(batch);
            }
        }
        catch (Exception e) when (PhotoSource.IsOfPhoto(e))
        {
            _source.Fail(item, e);
            // Views that were written before the error are finished by the GPU, as any others.
            pass.Finish(item.Part, item.Count - filled);
            // The slots stay empty, but their batches must not wait for them.
            for (; filled < item.Count; filled++)
                ring.Done(ring.Enter(item.Sequence + filled, cancellation).Batch);
        }
    }
}
