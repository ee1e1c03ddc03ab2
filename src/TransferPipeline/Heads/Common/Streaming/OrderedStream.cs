using TransferPipeline.Features;

namespace TransferPipeline.Heads.Common;

/// <summary>
/// The rows of a feature set's parts in the dataset's order, in the blocks of a set that was extracted in one run. An interrupted
/// extraction, or one of photos that were added, leaves rows in other parts, and the last bits of sums follow from the order.
/// </summary>
internal sealed class OrderedStream : IRowStream, IDisposable
{
    private readonly FeatureTableStream _parts;
    private readonly ScratchFile _file;

    // Place in this stream by row of the parts, and the other way round.
    private readonly int[] _places;
    private readonly int[] _rows;
    private readonly List<int> _counts = [];
    private readonly FeatureMatrix _block;
    private bool _complete;

    /// <param name="ranks">Row numbers in the dataset's order, by row in the parts.</param>
    /// <param name="folder">Where there is room for four bytes per value.</param>
    /// <exception cref="IOException">There is no room.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no right to write into the folder.</exception>
    public OrderedStream(FeatureTableStream parts, IReadOnlyList<int> ranks, string folder)
    {
        _parts = parts;
        var kept = Enumerable.Range(0, ranks.Count).Where(parts.IsKept).Select(row => ranks[row]).ToArray();
        _rows = [.. Enumerable.Range(0, kept.Length)];
        Array.Sort(kept, _rows);
        _places = new int[_rows.Length];
        for (var place = 0; place < _rows.Length; place++)
            _places[_rows[place]] = place;
        // Rows of other splits count in a block, as they do where the parts lie in order.
        _counts.AddRange(kept.GroupBy(rank => rank / parts.BlockRows).Select(block => block.Count()));
        Labels = [.. _rows.Select(row => parts.Labels[row])];
        _block = new(_counts.Append(1).Max(), Columns);
        _file = new(folder, RowBytes * kept.Length);
    }

    public int Columns => _parts.Columns;

    public IReadOnlyList<int> Labels { get; }

    public IReadOnlyList<string> ClassNames => _parts.ClassNames;

    private long RowBytes => sizeof(float) * (long)Columns;

    public static bool IsNeeded(IReadOnlyList<int> ranks)
    {
        for (var i = 1; i < ranks.Count; i++)
        {
            if (ranks[i] < ranks[i - 1])
                return true;
        }

        return false;
    }

    public string NameOf(int row) => _parts.NameOf(_rows[row]);

    public void Read(Action<FeatureMatrix, int, int> block)
    {
        if (!_complete)
            _parts.Read(Keep);
        _complete = true;
        var first = 0;
        foreach (var count in _counts)
        {
            _file.Read(ScratchFile.Bytes(_block, count), first * RowBytes);
            block(_block, first, count);
            first += count;
        }
    }

    public void Dispose() => _file.Dispose();

    private void Keep(FeatureMatrix matrix, int first, int count)
    {
        try
        {
            for (var row = 0; row < count; )
            {
                // Rows that stand together here and there are written at once.
                var end = row + 1;
                while (end < count && _places[first + end] == _places[first + row] + end - row)
                    end++;
                var bytes = ScratchFile.Bytes(matrix, end)[(int)(row * RowBytes)..];
                _file.Write(bytes, _places[first + row] * RowBytes);
                row = end;
            }
        }
        catch (IOException e)
        {
            Throw.JobFailed($"the scratch file for vectors cannot be written ({e.OneLine()}); make room and train again", e);
        }
    }
}
