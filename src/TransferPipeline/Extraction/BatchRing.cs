namespace TransferPipeline.Extraction;

/// <summary>
/// The batches between decoders and GPUs. A vector's batch and slot follow from its place in the pass alone, so that results do not
/// depend on which thread was first; a bounded number of batches is in memory and decoders wait for one to come back.
/// </summary>
internal sealed class BatchRing
{
    // Not a Lock, which Monitor.Wait does not take.
    private readonly object _gate = new();
    private readonly HostBatch[] _ring;
    private readonly Queue<HostBatch> _ready = new();
    private readonly int _size;
    private readonly int _total;
    private int _decoders;

    /// <param name="size">Photos in a batch.</param>
    /// <param name="total">Vectors of the whole pass.</param>
    /// <param name="decoders">Threads that will call <see cref="Leave"/>.</param>
    public BatchRing(HostBatch[] ring, int size, int total, int decoders)
    {
        (_ring, _size, _total, _decoders) = (ring, size, total, decoders);
        for (var i = 0; i < ring.Length; i++)
            Start(ring[i], i);
    }

    /// <summary>
    /// The batch of vector number <paramref name="sequence"/>, and its slot there; waits until the batch that used this memory before is
    /// done.
    /// </summary>
    public (HostBatch Batch, int Slot) Enter(int sequence, CancellationToken cancellation)
    {
        var (number, slot) = Math.DivRem(sequence, _size);
        var batch = _ring[number % _ring.Length];
        // Monitor.Wait takes no token, so cancelling wakes all threads that wait.
        using var wake = cancellation.Register(Wake);
        lock (_gate)
        {
            while (batch.Number != number)
            {
                cancellation.ThrowIfCancellationRequested();
                Monitor.Wait(_gate);
            }
        }

        return (batch, slot);
    }

    /// <summary>A slot is filled or abandoned; the last one sends the batch on.</summary>
    public void Done(HostBatch batch)
    {
        lock (_gate)
        {
            if (--batch.Open == 0)
                Send(batch);
        }
    }

    /// <summary>A decoder has ended. After the last one, batches that will never be full are sent on as they are.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            if (--_decoders > 0)
                return;
            // Only after a cancellation or an error: in a full run the last batch has no slots beyond the last vector.
            foreach (var batch in _ring.Where(b => b.Open > 0 && b.Items.Any(i => i is not null)).OrderBy(b => b.Number))
                Send(batch);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The next batch to compute; null when there will be none.</summary>
    public HostBatch? Take()
    {
        lock (_gate)
        {
            HostBatch? batch;
            // Batches that are ready are still taken when all decoders have left.
            while (!_ready.TryDequeue(out batch) && _decoders > 0)
                Monitor.Wait(_gate);
            return batch;
        }
    }

    /// <summary>Gives a computed batch's memory to a later one.</summary>
    public void Release(HostBatch batch)
    {
        lock (_gate)
        {
            Start(batch, batch.Number + _ring.Length);
            Monitor.PulseAll(_gate);
        }
    }

    private void Send(HostBatch batch)
    {
        _ready.Enqueue(batch);
        Monitor.PulseAll(_gate);
    }

    private void Wake()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }

    private void Start(HostBatch batch, int number)
    {
        batch.Number = number;
        // Beyond the last vector nothing is open, so such a batch is never sent.
        batch.Open = (int)Math.Clamp(_total - (long)number * _size, 0, _size);
        Array.Clear(batch.Items);
    }
}
