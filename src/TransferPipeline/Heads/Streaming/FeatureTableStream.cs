using TransferPipeline.Features;

namespace TransferPipeline.Heads.Streaming;

/// <summary>Rows of Parquet parts of a feature set, block by block.</summary>
public sealed class FeatureTableStream : IRowStream
{
    private readonly IFeatureTable _table;
    private readonly IReadOnlyList<string> _files;
    private readonly FeatureMatrix _block;
    private readonly List<bool> _kept = [];
    private readonly List<int> _labels = [];

    /// <param name="label">Class of a row by its label and split, or -1 to leave it out (another split).</param>
    /// <param name="blockRows">Rows read at once: 4,096 x 1,280 values are 21 MB.</param>
    public FeatureTableStream(IFeatureTable table, IReadOnlyList<string> files, Func<string, string, int> label, int columns, int blockRows = 4096)
    {
        (_table, _files, Columns, _block) = (table, files, columns, new(blockRows, columns));
        foreach (var (name, split) in files.SelectMany(table.ReadLabels))
        {
            var k = label(name, split);
            _kept.Add(k >= 0);
            if (k >= 0)
                _labels.Add(k);
        }
    }

    public int Columns { get; }

    public IReadOnlyList<int> Labels => _labels;

    public void Read(Action<FeatureMatrix, int, int> block)
    {
        var (seen, first, filled) = (0, 0, 0);
        foreach (var file in _files)
            filled = _table.ReadBlocks(file, _block, filled, () => Hand(_block.Rows));
        Hand(filled);
        if (seen != _kept.Count)
            throw Changed(seen);

        void Hand(int rows)
        {
            if (seen + rows > _kept.Count)
                throw Changed(seen + rows);
            var kept = 0;
            for (var i = 0; i < rows; i++)
            {
                if (!_kept[seen + i])
                    continue;
                if (kept != i)
                    _block.Row(i).CopyTo(_block.Row(kept));
                kept++;
            }

            if (kept > 0)
                block(_block, first, kept);
            (seen, first) = (seen + rows, first + kept);
        }
    }

    private JobFailedException Changed(int rows) => new($"the feature set changed while it was read: {rows} rows, {_kept.Count} before; train again");
}
