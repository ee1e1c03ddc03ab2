using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Heads.Common;

/// <summary>
/// A stream whose vectors are decoded once: the first reading also writes them, as they lie in memory, to a file without a name, and later
/// readings copy them from there, in the same blocks. The system frees the file when the process ends, in whatever way.
/// </summary>
internal sealed class ScratchStream : IRowStream, IDisposable
{
    private readonly IRowStream _source;
    private readonly string _folder;
    private readonly Action<string> _warn;
    private readonly List<int> _counts = [];
    private SafeFileHandle? _file;
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
            var bytes = Bytes(_block!, count);
            while (bytes.Length > 0)
            {
                var read = RandomAccess.Read(_file!, bytes, offset);
                if (read == 0)
                    Throw.JobFailed($"the scratch file in {_folder} became shorter while it was read; train again");
                bytes = bytes[read..];
                offset += read;
            }

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
            Directory.CreateDirectory(_folder);
            var name = Path.Combine(_folder, ".transfer-" + Path.GetRandomFileName());
            _file = File.OpenHandle(
                name,
                FileMode.CreateNew,
                FileAccess.ReadWrite,
                // Windows deletes an open file only if its handle allows it.
                FileShare.ReadWrite | FileShare.Delete,
                FileOptions.SequentialScan
            );
            // At once, so that no file is left even when the process is killed.
            File.Delete(name);
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
            var bytes = Bytes(matrix, count);
            RandomAccess.Write(_file, bytes, _length);
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

    private static Span<byte> Bytes(FeatureMatrix matrix, int count) =>
        MemoryMarshal.AsBytes(matrix.Data.AsSpan(0, count * matrix.Columns));
}
