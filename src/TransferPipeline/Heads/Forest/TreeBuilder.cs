using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>Grows trees, one after the other; holds the buffers that they share.</summary>
internal sealed class TreeBuilder
{
    private readonly BinnedFeatures _bins;
    private readonly TreeLimits _options;
    private readonly int[] _labels;
    private readonly SplitSearch _search;
    private readonly RandomSplitSearch? _random;
    private readonly int[] _draws;
    private readonly int[] _rows;
    private readonly uint[] _samples;
    private readonly int[] _spareRows;
    private readonly uint[] _spareSamples;
    private readonly int[] _columns;
    private readonly Stack<Pending> _pending = new();

    /// <param name="labels">Class of each row of <paramref name="bins"/>.</param>
    public TreeBuilder(BinnedFeatures bins, TreeLimits options, int[] labels, int classes, double[]? classWeights)
    {
        (_bins, _options, _labels) = (bins, options, labels);
        _search = new(bins, options, classes, classWeights);
        _random = options.RandomThresholds ? new(bins, options.MinSamplesLeaf, classes, classWeights) : null;
        (_draws, _rows, _spareRows) = (new int[bins.Rows], new int[bins.Rows], new int[bins.Rows]);
        (_samples, _spareSamples, _columns) = (new uint[bins.Rows], new uint[bins.Rows], new int[bins.Columns]);
    }

    /// <summary>
    /// Grows tree number <paramref name="tree"/>, which depends on nothing but the data, the options, the seed and this number.
    /// </summary>
    public Tree Grow(int seed, int tree)
    {
        var random = RandomStream.OfPart(seed, tree);
        var nodes = new TreeNodes();
        // DrawColumn exchanges columns: a tree must not depend on those that this builder grew before.
        for (var i = 0; i < _columns.Length; i++)
            _columns[i] = i;
        _pending.Push(new(0, Draw(ref random), 0, -1));
        while (_pending.TryPop(out var node))
        {
            var at = nodes.Count;
            if (node.Parent >= 0)
                // The number of a right child is known only after all nodes of the left side.
                nodes.SetRight(node.Parent, at);
            var rows = _rows.AsSpan(node.Start, node.End - node.Start);
            var samples = _samples.AsSpan(node.Start, node.End - node.Start);
            _search.Enter(samples);
            var split = Search(node, rows, samples, ref random);
            if (!split.Found)
            {
                nodes.AddLeaf(_search.Totals, _search.Weight);
                continue;
            }

            nodes.AddSplit(split.Column, _bins.Threshold(split.Column, split.Bin, split.NextBin));
            var middle = node.Start + Divide(rows, samples, split);
            // The left side is pushed last and popped first, since Tree has a left child right behind its parent.
            _pending.Push(new(middle, node.End, node.Depth + 1, at));
            _pending.Push(new(node.Start, middle, node.Depth + 1, -1));
        }

        return nodes.ToTree();
    }

    /// <summary>Draws as many rows as there are, with replacement (or takes each once); returns how many different ones.</summary>
    private int Draw(ref RandomStream random)
    {
        if (_options.Bootstrap)
        {
            Array.Clear(_draws);
            for (var i = 0; i < _draws.Length; i++)
                _draws[random.Below(_draws.Length)]++;
        }
        else
        {
            Array.Fill(_draws, 1);
        }

        var count = 0;
        for (var i = 0; i < _draws.Length; i++)
        {
            if (_draws[i] == 0)
                continue;
            _rows[count] = i;
            // A row drawn several times is one row with a count, like scikit-learn's sample weights.
            _samples[count++] = Sample.Create(_labels[i], _draws[i]);
        }

        return count;
    }

    /// <summary>
    /// Tries max_features columns drawn without replacement, and at more while all of them are constant, as scikit-learn does.
    /// </summary>
    private Split Search(Pending node, ReadOnlySpan<int> rows, ReadOnlySpan<uint> samples, ref RandomStream random)
    {
        var best = new Split();
        if (
            _search.ClassesPresent < 2
            || node.Depth >= _options.MaxDepth
            || rows.Length < _options.MinSamplesSplit
            || rows.Length < 2 * _options.MinSamplesLeaf
        )
            return best;
        // All columns are drawn before the first is searched, so that the next one can be prefetched.
        var drawn = Math.Min(_options.MaxFeatures, _columns.Length);
        for (var i = 0; i < drawn; i++)
            DrawColumn(i, ref random);
        if (_random is not null)
            return SearchRandom(drawn, rows, samples, ref random);
        var varying = 0;
        for (var i = 0; i < _columns.Length && (i < drawn || varying == 0); i++)
        {
            if (i >= drawn)
                DrawColumn(i, ref random);
            if (i + 1 < drawn)
                _bins.Prefetch(_columns[i + 1], rows);
            varying += _search.Best(_columns[i], rows, samples, ref best) ? 1 : 0;
        }

        return best;
    }

    private Split SearchRandom(int drawn, ReadOnlySpan<int> rows, ReadOnlySpan<uint> samples, ref RandomStream random)
    {
        var best = new Split();
        var varying = 0;
        for (var i = 0; i < _columns.Length && (i < drawn || varying == 0); )
        {
            if (i >= drawn)
                DrawColumn(i, ref random);
            // Past max_features one column at a time: the first that varies ends the search.
            var count = i < drawn ? Math.Min(RandomSplitSearch.Width, drawn - i) : 1;
            varying += _random!.Offer(_columns.AsSpan(i, count), rows, samples, _search.Totals, _search.Weight, ref random, ref best);
            i += count;
        }

        return best;
    }

    private void DrawColumn(int i, ref RandomStream random)
    {
        var j = i + random.Below(_columns.Length - i);
        (_columns[i], _columns[j]) = (_columns[j], _columns[i]);
    }

    /// <summary>Moves the rows that go left to the front, both parts in their order; returns how many they are.</summary>
    private int Divide(Span<int> rows, Span<uint> samples, Split split)
    {
        var codes = _bins.Table[(split.Column * _bins.ColumnStride)..];
        var stride = _bins.RowStride;
        var (left, right) = (0, 0);
        for (var i = 0; i < rows.Length; i++)
        {
            var (row, sample) = (rows[i], samples[i]);
            if (codes[row * stride] <= split.Bin)
                (rows[left], samples[left++]) = (row, sample);
            else
                (_spareRows[right], _spareSamples[right++]) = (row, sample);
        }

        _spareRows.AsSpan(0, right).CopyTo(rows[left..]);
        _spareSamples.AsSpan(0, right).CopyTo(samples[left..]);
        return left;
    }

    /// <param name="Parent">The node whose right child this is, -1 for a left child.</param>
    private readonly record struct Pending(int Start, int End, int Depth, int Parent);
}
