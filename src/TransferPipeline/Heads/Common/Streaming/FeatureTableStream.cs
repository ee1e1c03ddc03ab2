using System.Collections.Concurrent;
using TransferPipeline.Features;

namespace TransferPipeline.Heads.Common;

/// <summary>Rows of Parquet parts of a feature set, block by block.</summary>
internal sealed class FeatureTableStream : IRowStream
{
    /// <summary>Rows of a block. Sums over blocks depend on where these end, so the number does not depend on the machine.</summary>
    private const int MostRows = 4096;

    /// <summary>Longer vectors than 4,096 values have fewer rows in a block: there are three blocks, one being decoded.</summary>
    private const long MostBytes = 64L << 20;

    private readonly IFeatureTable _table;
    private readonly IReadOnlyList<string> _files;
    private readonly FeatureMatrix _block;
    private readonly FeatureMatrix?[] _ahead = new FeatureMatrix?[2];
    private readonly List<bool> _kept = [];
    private readonly List<int> _labels = [];

    /// <param name="label">Class of a row by its label and split, or -1 to leave it out (another split).</param>
    /// <param name="blockRows">Rows read at once; null for <see cref="RowsOfBlock"/>.</param>
    public FeatureTableStream(
        IFeatureTable table,
        IReadOnlyList<string> files,
        Func<string, string, int> label,
        int columns,
        int? blockRows = null
    )
    {
        // The table fills _block across the files' ends. Rows of the split are copied out of it:
        // callers scale theirs in place.
        (_table, _files, Columns, _block) = (table, files, columns, new(blockRows ?? RowsOfBlock(columns), columns));
        // Labels come before any vector: counts of the classes are needed before the first block,
        // and labels are few bytes.
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

    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>Rows of the files in a block, those that are left out included.</summary>
    public int BlockRows => _block.Rows;

    /// <summary>Whether a row of the files is in the stream.</summary>
    public bool IsKept(int row) => _kept[row];

    /// <summary>Rows of a block of vectors of so many values: 4,096, or as many as take 64 MB.</summary>
    public static int RowsOfBlock(int columns) => (int)Math.Clamp(MostBytes / (sizeof(float) * (long)columns), 1, MostRows);

    public string NameOf(int row)
    {
        // Rows that are left out count in the files and not in the stream.
        var left = row;
        var place = 0;
        while (!_kept[place] || left-- > 0)
            place++;
        foreach (var file in _files)
        {
            var rows = _table.ReadRows(file);
            if (place < rows.Count)
                return $"photo '{rows[place].Path}'{(rows[place].View > 0 ? $", view {rows[place].View}," : "")} (row {place} of {file})";
            place -= rows.Count;
        }

        return $"row {row}";
    }

    public void Read(Action<FeatureMatrix, int, int> block)
    {
        using var stop = new CancellationTokenSource();
        using var empty = new BlockingCollection<FeatureMatrix>();
        using var full = new BlockingCollection<(FeatureMatrix Vectors, int Rows)>();
        // Two blocks, for one to be decoded while the caller works on the other; all passes use the same two.
        for (var i = 0; i < 2; i++)
            empty.Add(_ahead[i] ??= new(_block.Rows, Columns), CancellationToken.None);
        // A thread of its own: it waits for blocks most of the time, and the kernels need all threads of the pool.
        var reading = Task.Factory.StartNew(
            () => ReadAhead(empty, full, stop.Token),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        try
        {
            var first = 0;
            foreach (var (vectors, rows) in full.GetConsumingEnumerable(CancellationToken.None))
            {
                block(vectors, first, rows);
                first += rows;
                empty.Add(vectors, CancellationToken.None);
            }
        }
        catch
        {
            // The reader may be decoding a block, so the collections must outlive it. The handle waits without
            // throwing: the reader's own cancellation must not replace the caller's exception.
            stop.Cancel();
            ((IAsyncResult)reading).AsyncWaitHandle.WaitOne();
            throw;
        }

        // What went wrong there is thrown here.
        reading.GetAwaiter().GetResult();
    }

    /// <summary>Decodes the next block while the caller works on the one before.</summary>
    private void ReadAhead(
        BlockingCollection<FeatureMatrix> empty,
        BlockingCollection<(FeatureMatrix Vectors, int Rows)> full,
        CancellationToken stop
    )
    {
        try
        {
            var (seen, filled) = (0, 0);
            foreach (var file in _files)
                filled = _table.ReadBlocks(file, _block, filled, () => Hand(_block.Rows));
            Hand(filled);
            if (seen != _kept.Count)
                throw Changed(seen);

            void Hand(int rows)
            {
                // Labels and vectors are two readings of the files; a set written anew between them
                // would pair wrong labels.
                if (seen + rows > _kept.Count)
                    throw Changed(seen + rows);
                var vectors = empty.Take(stop);
                var kept = 0;
                for (var i = 0; i < rows; i++)
                {
                    if (_kept[seen + i])
                        _block.Row(i).CopyTo(vectors.Row(kept++));
                }

                seen += rows;
                // Callers get no empty block: ridge, for one, takes the mean of the first.
                if (kept > 0)
                    full.Add((vectors, kept), stop);
                else
                    empty.Add(vectors, stop);
            }
        }
        finally
        {
            // After an error too: it ends the caller's loop, and Read then throws what the task holds.
            full.CompleteAdding();
        }
    }

    private JobFailedException Changed(int rows) =>
        new($"the feature set changed while it was read: {rows} rows, {_kept.Count} before; train again");
}
