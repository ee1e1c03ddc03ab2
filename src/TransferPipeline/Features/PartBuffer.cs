namespace TransferPipeline.Features;

/// <summary>
/// The rows of one part while workers fill it: a stretch of the photos that are missing, with a slot for each missing view.
/// </summary>
internal sealed class PartBuffer
{
    private readonly List<(int Entry, FailedRow Row)> _failed = [];
    private int _open;

    public PartBuffer(int capacity, IReadOnlyList<int> dimensions)
    {
        Vectors = [.. dimensions.Select(d => new FeatureMatrix(capacity, d))];
        Rows = new FeatureRow?[capacity];
        Slots = new (int Entry, int View)[capacity];
    }

    /// <summary>Its place among the parts of this run.</summary>
    public int Number { get; private set; }

    public int Count { get; private set; }

    public (int Entry, int View)[] Slots { get; }

    /// <summary>For each cut, by slot.</summary>
    public FeatureMatrix[] Vectors { get; }

    /// <summary>By slot; null until it is computed, and for good when its photo failed.</summary>
    public FeatureRow?[] Rows { get; }

    public IReadOnlyList<(int Entry, FailedRow Row)> Failed => _failed;

    // Pairs with the Add in Finish: who reads 0 here sees all rows that the workers have written.
    public bool IsDone => Volatile.Read(ref _open) == 0;

    public void Start(int number, ReadOnlySpan<(int Entry, int View)> slots)
    {
        (Number, Count) = (number, slots.Length);
        slots.CopyTo(Slots);
        // The buffer is reused: a row of the part before would count as computed.
        Array.Clear(Rows);
        _failed.Clear();
        Volatile.Write(ref _open, slots.Length);
    }

    /// <summary>Marks slots as done; true for the call that finishes the part.</summary>
    public bool Finish(int slots) => Interlocked.Add(ref _open, -slots) == 0;

    public void Fail(int entry, FailedRow row)
    {
        lock (_failed)
            _failed.Add((entry, row));
    }
}
