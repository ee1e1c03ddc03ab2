using TransferPipeline.Features;

namespace TransferPipeline.Heads.Streaming;

/// <summary>Rows of Parquet parts of a feature set, block by block.</summary>
public sealed class FeatureTableStream : IRowStream
{
    private readonly IFeatureTable _table;
    private readonly IReadOnlyList<string> _files;
    private readonly Func<FeatureRow, int> _label;
    private readonly FeatureMatrix _block;
    private readonly List<int> _labels = [];

    /// <param name="label">Class of a row, or -1 to leave it out (another split).</param>
    /// <param name="blockRows">Rows read at once: 4,096 x 1,280 values are 21 MB.</param>
    public FeatureTableStream(IFeatureTable table, IReadOnlyList<string> files, Func<FeatureRow, int> label, int columns, int blockRows = 4096)
    {
        (_table, _files, _label, Columns, _block) = (table, files, label, columns, new(blockRows, columns));
        foreach (var file in files)
        {
            foreach (var row in table.ReadRows(file))
            {
                var k = label(row);
                if (k >= 0)
                    _labels.Add(k);
            }
        }
    }

    public int Columns { get; }

    public IReadOnlyList<int> Labels => _labels;

    public void Read(Action<FeatureMatrix, int, int> block)
    {
        var first = 0;
        foreach (var file in _files)
        {
            _table.ReadBlocks(file, _block, rows =>
            {
                var kept = 0;
                for (var i = 0; i < rows.Count; i++)
                {
                    if (_label(rows[i]) < 0)
                        continue;
                    if (kept != i)
                        _block.Row(i).CopyTo(_block.Row(kept));
                    kept++;
                }

                if (kept > 0)
                    block(_block, first, kept);
                first += kept;
            });
        }

        if (first != _labels.Count)
            Throw.JobFailed($"the feature set changed while it was read: {first} rows, {_labels.Count} before; train again");
    }
}
