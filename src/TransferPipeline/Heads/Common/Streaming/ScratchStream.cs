using System.Globalization;

namespace TransferPipeline.Heads.Common;

/// <summary>
/// A stream whose vectors are decoded once: the first reading also writes them to a scratch file, and later readings copy them from
/// there, in the same blocks.
/// </summary>
internal sealed class ScratchStream : IRowStream, IDisposable
{
    private readonly IRowStream _source;
    private readonly string _folder;
    private readonly Action<string> _warn;
    private readonly List<int> _counts = [];
    private ScratchFile? _file;
    private FeatureMatrix? _block;
    private long _length;
    private bool _complete;
    private bool _noRoom;

    /// <param name="folder">Where there is room for four bytes per value.</param>
    public ScratchStream(IRowStream source, string folder, Action<string> warn) => (_source, _folder, _warn) = (source, folder, warn);

    public int Columns => _source.Columns;

    public IReadOnlyList<int> Labels => _source.Labels;

    public IReadOnlyList<string> ClassNames => _source.ClassNames;

    public string NameOf(int row) => _source.NameOf(row);

    public void Read(Action<FeatureMatrix, int, int> block)
    {
        if (_complete)
        {
            ReadAgain(block);
            return;
        }

        Begin();
        _source.Read(
            (matrix, first, count) =>
            {
                // Before the caller scales the block in place.
                Keep(matrix, count);
                block(matrix, first, count);
            }
        );
        // After a full pass only: the file of a pass that the caller broke off lacks rows.
        _complete = _file is not null;
    }

    public void Dispose() => _file?.Dispose();

    private void ReadAgain(Action<FeatureMatrix, int, int> block)
    {
        var (first, offset) = (0, 0L);
        // Blocks have the lengths of the first pass, so sums over blocks have the same bits in each pass.
        foreach (var count in _counts)
        {
            var bytes = ScratchFile.Bytes(_block!, count);
            _file!.Read(bytes, offset);
            offset += bytes.Length;
            block(_block!, first, count);
            first += count;
        }
    }

    private void Begin()
    {
        _file?.Dispose();
        (_file, _length) = (null, 0);
        _counts.Clear();
        // One attempt and one warning: each further pass would fill the disk again.
        if (_noRoom)
            return;
        try
        {
            _file = new(_folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            GiveUp(e);
        }
    }

    private void Keep(FeatureMatrix matrix, int count)
    {
        if (_file is null)
            return;
        try
        {
            var bytes = ScratchFile.Bytes(matrix, count);
            _file.Write(bytes, _length);
            // The source's matrix serves later passes: once the file is complete, the source is not read again.
            (_length, _block) = (_length + bytes.Length, matrix);
            _counts.Add(count);
        }
        // A full disk does not end the fit: this pass goes on, and later ones decode again.
        catch (IOException e)
        {
            GiveUp(e);
        }
    }

    private void GiveUp(Exception e)
    {
        // The file has no name, so closing its handle frees the space.
        _file?.Dispose();
        (_file, _noRoom) = (null, true);
        _warn(
            string.Create(
                CultureInfo.InvariantCulture,
                $"vectors are decoded anew in each pass: a scratch file of {4e-9 * Labels.Count * Columns:0.0} GB cannot be written "
                    + $"to {_folder} ({e.Message})"
            )
        );
    }
}
