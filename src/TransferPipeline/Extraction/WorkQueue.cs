using TransferPipeline.Features;

namespace TransferPipeline.Extraction;

/// <summary>A photo to do: its slots in a part are consecutive, from <paramref name="First"/> on.</summary>
/// <param name="Sequence">Slots that were handed out before this photo's, in this run.</param>
internal readonly record struct WorkItem(PartBuffer Part, int First, int Count, int Sequence)
{
    /// <summary>The photo's number in the dataset.</summary>
    public int Entry => Part.Slots[First].Entry;

    /// <summary>Only the photo as it is, without augmented copies, which may take any part of it.</summary>
    public bool IsPlain => Count == 1 && Part.Slots[First].View == 0;
}

/// <summary>
/// Hands out photos to workers in the dataset's order and finished parts, in order, to the writer. A bounded number of parts is in
/// memory: workers wait when the writer is behind.
/// </summary>
internal sealed class WorkQueue
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _free;
    private readonly Stack<PartBuffer> _buffers;
    private readonly SortedDictionary<int, PartBuffer> _started = [];
    private readonly (int Entry, int View)[] _slots;
    private readonly int _rowsPerPart;
    private PartBuffer? _current;
    private int _nextInPart;
    private int _nextSlot;
    private int _parts;
    private int _handedOut;

    /// <param name="rowsInFlight">Slots that may have been handed out after one that is not done; there are buffers enough that they never
    /// wait for it.</param>
    public WorkQueue((int Entry, int View)[] slots, int rowsPerPart, IReadOnlyList<int> dimensions, int rowsInFlight = 0)
    {
        (_slots, _rowsPerPart) = (slots, rowsPerPart);
        var (largest, smallest, parts) = PartSizes();
        // Two more than they fill: open slots may begin at the end of a part and end at the start of another.
        var wanted = Math.Max(ExtractionSizes.Buffers, 2 + (rowsInFlight + smallest - 1) / smallest);
        // A short run does not reserve memory for parts that it will never have.
        var buffers = Math.Min(wanted, Math.Max(1, parts));
        _buffers = new(Enumerable.Range(0, buffers).Select(_ => new PartBuffer(largest, dimensions)));
        _free = new(buffers, buffers);
    }

    /// <summary>Finished parts by number go to the writer in order; parts that are not finished stay until they are.</summary>
    public PartBuffer? TakeFinished(int number)
    {
        lock (_gate)
            return _started.TryGetValue(number, out var part) && part.IsDone ? part : null;
    }

    /// <summary>Parts that were begun, in order; for what is left when a run is interrupted.</summary>
    public IReadOnlyList<PartBuffer> Started()
    {
        lock (_gate)
            return [.. _started.Values];
    }

    /// <summary>Gives a written part's memory back.</summary>
    public void Release(PartBuffer part)
    {
        lock (_gate)
        {
            _started.Remove(part.Number);
            _buffers.Push(part);
        }

        // After the push: the count must never be above the number of buffers that are there.
        _free.Release();
    }

    /// <summary>
    /// The next photo; null when there is none, or when <paramref name="mayWait"/> is false and one would have to wait for the writer.
    /// </summary>
    public WorkItem? Next(bool mayWait, CancellationToken cancellation, out bool end)
    {
        while (true)
        {
            lock (_gate)
            {
                end = _nextSlot == _slots.Length && (_current is null || _nextInPart == _current.Count);
                if (end)
                    return null;
                if (_current is not null && _nextInPart < _current.Count)
                    return TakePhoto(_current);
                // Without waiting, since giving a buffer back needs the lock that is held here.
                if (_free.Wait(0, CancellationToken.None))
                {
                    StartPart();
                    continue;
                }
            }

            if (!mayWait)
                return null;
            // Waits until a buffer is free and takes none: another thread may begin the next part before this one.
            _free.Wait(cancellation);
            _free.Release();
        }
    }

    private WorkItem TakePhoto(PartBuffer part)
    {
        var first = _nextInPart;
        var entry = part.Slots[first].Entry;
        // All missing views of a photo go to one thread, which reads and decodes it once.
        while (_nextInPart < part.Count && part.Slots[_nextInPart].Entry == entry)
            _nextInPart++;
        var sequence = _handedOut;
        _handedOut += _nextInPart - first;
        return new(part, first, _nextInPart - first, sequence);
    }

    private void StartPart()
    {
        var end = PartEnd(_nextSlot);
        _current = _buffers.Pop();
        _current.Start(_parts, _slots.AsSpan(_nextSlot, end - _nextSlot));
        _started.Add(_parts++, _current);
        (_nextInPart, _nextSlot) = (0, end);
    }

    /// <summary>A part has at most the given rows, but holds at least one photo with all its views.</summary>
    private int PartEnd(int start)
    {
        var end = Math.Min(_slots.Length, start + _rowsPerPart);
        if (end == _slots.Length)
            return end;
        var cut = end;
        while (cut > start && _slots[cut - 1].Entry == _slots[cut].Entry)
            cut--;
        if (cut > start)
            return cut;
        while (end < _slots.Length && _slots[end].Entry == _slots[start].Entry)
            end++;
        return end;
    }

    /// <summary>Rows of the largest part, of the smallest but the last, and the number of parts.</summary>
    private (int Largest, int Smallest, int Parts) PartSizes()
    {
        var (largest, smallest, parts) = (0, int.MaxValue, 0);
        for (var start = 0; start < _slots.Length; parts++)
        {
            var end = PartEnd(start);
            largest = Math.Max(largest, end - start);
            if (end < _slots.Length)
                smallest = Math.Min(smallest, end - start);
            start = end;
        }

        return (largest, smallest == int.MaxValue ? Math.Max(1, largest) : smallest, parts);
    }
}
