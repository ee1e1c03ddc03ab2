namespace TransferPipeline.Heads;

/// <summary>Keeps all rows whose approximate nearness could still place them among the k nearest.</summary>
internal sealed class CandidateList
{
    private readonly int _k;
    private readonly float _slack;
    private float[] _near;
    private int[] _rows;
    private int _count;

    /// <param name="slack">Two rows whose nearness differs by no more may be in either order.</param>
    public CandidateList(int k, float slack)
    {
        (_k, _slack) = (k, slack);
        // Room for as many again as k: pruning sorts all entries, so it must be rare.
        var capacity = 2 * k + 64;
        (_near, _rows) = (new float[capacity], new int[capacity]);
    }

    /// <summary>Rows below it cannot be among the nearest.</summary>
    public float Threshold { get; private set; } = float.NegativeInfinity;

    public void Offer(float near, int row)
    {
        if (near < Threshold)
            return;
        if (_count == _near.Length)
        {
            Prune();
            if (near < Threshold)
                return;
        }

        (_near[_count], _rows[_count]) = (near, row);
        _count++;
    }

    /// <summary>The remaining rows, ascending.</summary>
    public ReadOnlySpan<int> Finish()
    {
        Prune();
        // Rows arrive in ascending order, and pruning keeps it.
        return _rows.AsSpan(0, _count);
    }

    private void Prune()
    {
        if (_count < _k)
            return;
        // Whoever lies further below the k-th than the product's error cannot be among the nearest.
        Threshold = Math.Max(Threshold, KthLargest() - _slack);
        var kept = 0;
        for (var i = 0; i < _count; i++)
        {
            if (_near[i] < Threshold)
                continue;
            (_near[kept], _rows[kept]) = (_near[i], _rows[i]);
            kept++;
        }

        _count = kept;

        // Many rows within the slack (copies of one photo): make room instead of pruning again for each of them.
        if (_count > _near.Length / 2)
        {
            Array.Resize(ref _near, 2 * _near.Length);
            Array.Resize(ref _rows, _near.Length);
        }
    }

    private float KthLargest()
    {
        var copy = _near.AsSpan(0, _count).ToArray();
        copy.AsSpan().Sort();
        return copy[_count - _k];
    }
}
