using System.Runtime.InteropServices;

namespace TransferPipeline.Heads;

/// <summary>The nodes of a tree that is being grown.</summary>
internal sealed class TreeNodes
{
    private readonly List<int> _feature = [];
    private readonly List<float> _threshold = [];
    private readonly List<int> _right = [];
    private readonly List<int> _end = [];
    private readonly List<int> _classes = [];
    private readonly List<float> _shares = [];

    public int Count => _feature.Count;

    public void AddSplit(int column, float threshold) => Add(column, threshold, 0, 0);

    public void AddLeaf(double[] weights, double total)
    {
        var first = _classes.Count;
        for (var c = 0; c < weights.Length; c++)
        {
            // Leaves store the classes that they saw: in a deep tree one or two of many.
            if (weights[c] == 0)
                continue;
            _classes.Add(c);
            _shares.Add((float)(weights[c] / total));
        }

        Add(-1, 0, first, _classes.Count);
    }

    public void SetRight(int node, int child) => CollectionsMarshal.AsSpan(_right)[node] = child;

    public Tree ToTree() => new([.. _feature], [.. _threshold], [.. _right], [.. _end], [.. _classes], [.. _shares]);

    private void Add(int column, float threshold, int right, int end)
    {
        _feature.Add(column);
        _threshold.Add(threshold);
        _right.Add(right);
        _end.Add(end);
    }
}
