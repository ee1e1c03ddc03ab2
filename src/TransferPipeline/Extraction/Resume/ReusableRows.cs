using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Platform;

namespace TransferPipeline.Extraction.Resume;

/// <summary>What a feature set on disk knows of photos: by path, and by SHA-256 for photos that were renamed or moved.</summary>
internal sealed class ReusableRows
{
    private readonly List<List<FeatureRow>> _rows = [];
    private readonly Dictionary<(string Path, int View), (int Part, int Row)> _byPath = [];
    private readonly Dictionary<string, FailedRow> _failedByPath = new(StringComparer.Ordinal);
    private readonly HashSet<long> _lengths = [];
    private readonly PhotoStamps? _stamps;
    private List<FailedRow> _failed = [];
    private Dictionary<(string Sha, int View), (int Part, int Row)>? _bySha;
    private Dictionary<string, FailedRow>? _failedBySha;

    /// <param name="stamps">What the file system reported when the photos were hashed; null hashes all photos again.</param>
    public ReusableRows(FeatureSet? set, DecodeOptions limits, PhotoStamps? stamps, Action<string> message)
    {
        _stamps = stamps;
        if (set is null)
            return;
        foreach (var part in set.Manifest.Parts)
        {
            if (Unusable(set, part) is { } problem)
            {
                message($"{set.Folder}: {problem}; its {part.Rows} vectors are computed again");
                continue;
            }

            Add(part, set.ReadRows(part));
        }

        if (
            set.Manifest.Failed is not null
            && set.Manifest.MaxBytes == limits.MaxBytes
            && set.Manifest.MaxPixels == limits.MaxPixels
            // A version may read what another one could not.
            && set.Manifest.Program == AssemblyVersion.Program
        )
            ReadFailed(set);
    }

    public List<FeaturePart> Parts { get; } = [];

    public int Count => _rows.Sum(r => r.Count);

    public List<FeatureRow> RowsOf(int part) => _rows[part];

    public bool HasLength(long bytes) => _lengths.Contains(bytes);

    /// <summary>The SHA-256 of a photo that the file system reports as unchanged; null when it has to be read.</summary>
    /// <param name="change">What the file system reports about the photo's file.</param>
    public string? ShaOfUnchanged(string path, PhotoStamp stamp, FileChange? change) =>
        KnownSha(path, stamp) is { } sha && _stamps?.Confirm(path, stamp, change, sha) == true ? sha : null;

    private string? KnownSha(string path, PhotoStamp stamp)
    {
        // Members of some archives have no time; their size alone shows nothing.
        if (stamp.Mtime == 0)
            return null;
        if (
            _byPath.TryGetValue((path, 0), out var at)
            && _rows[at.Part][at.Row] is var row
            && row.Bytes == stamp.Bytes
            && row.Mtime == stamp.Mtime
        )
            return row.ImageSha256;
        return _failedByPath.TryGetValue(path, out var failed) && failed.Bytes == stamp.Bytes && failed.Mtime == stamp.Mtime
            ? failed.ImageSha256
            : null;
    }

    public FailedRow? FailureOf(string path, string sha)
    {
        if (_failedByPath.Count == 0)
            return null;
        if (_failedByPath.TryGetValue(path, out var failed) && failed.ImageSha256 == sha)
            return failed;
        _failedBySha ??= _failed.DistinctBy(f => f.ImageSha256).ToDictionary(f => f.ImageSha256, StringComparer.Ordinal);
        return _failedBySha.GetValueOrDefault(sha);
    }

    public (int Part, int Row, FeatureRow Known)? Find(string path, string sha, int view)
    {
        if (_byPath.TryGetValue((path, view), out var at) && _rows[at.Part][at.Row].ImageSha256 == sha)
            return (at.Part, at.Row, _rows[at.Part][at.Row]);
        // A renamed or moved photo has its vector under another path. The index is made for the first of them: most runs need none.
        return BySha().TryGetValue((sha, view), out at) ? (at.Part, at.Row, _rows[at.Part][at.Row]) : null;
    }

    private static string? Unusable(FeatureSet set, FeaturePart part)
    {
        var file = new FileInfo(Path.Combine(set.Folder, part.File));
        return !file.Exists ? $"{part.File} is missing"
            : file.Length != part.Bytes ? $"{part.File} has {file.Length} bytes, the manifest says {part.Bytes}"
            : null;
    }

    private void Add(FeaturePart part, List<FeatureRow> rows)
    {
        _byPath.EnsureCapacity(_byPath.Count + rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            _byPath[(rows[i].Path, rows[i].View)] = (Parts.Count, i);
            _lengths.Add(rows[i].Bytes);
        }

        Parts.Add(part);
        _rows.Add(rows);
    }

    // Each failure holds for the photo's bytes, whichever run found it: a list newer than the manifest is as good.
    private void ReadFailed(FeatureSet set)
    {
        try
        {
            _failed = [.. set.LoadFailed().Where(f => f.ImageSha256.Length > 0)];
        }
        catch (BadInputException) when (set.FileProblem(set.Manifest.Failed!) is not null)
        {
            // Nothing is lost but the knowledge that they fail: they are tried again.
            return;
        }

        foreach (var failed in _failed)
        {
            _failedByPath[failed.Path] = failed;
            _lengths.Add(failed.Bytes);
        }
    }

    private Dictionary<(string Sha, int View), (int Part, int Row)> BySha()
    {
        if (_bySha is not null)
            return _bySha;
        _bySha = [];
        for (var p = 0; p < _rows.Count; p++)
        {
            for (var i = 0; i < _rows[p].Count; i++)
                _bySha.TryAdd((_rows[p][i].ImageSha256, _rows[p][i].View), (p, i));
        }

        return _bySha;
    }
}
