using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Platform;

namespace TransferPipeline.Extraction.Resume;

/// <summary>
/// The rows that a feature set of a dataset should have: each photo, and for training photos their views, at fixed positions.
/// </summary>
internal sealed class WantedVectors
{
    private readonly int[] _first;

    public WantedVectors(Dataset dataset, int views, Shard shard)
    {
        Dataset = dataset;
        (FirstEntry, EndEntry) = shard.Range(dataset.Entries.Count);
        _first = new int[dataset.Entries.Count + 1];
        for (var i = 0; i < dataset.Entries.Count; i++)
            _first[i + 1] = checked(_first[i] + (dataset.Entries[i].Split == Splits.Train ? 1 + views : 1));
        Stamps = new PhotoStamp[dataset.Entries.Count];
        Changes = new FileChange?[dataset.Entries.Count];
        // Before the first photo: what changes while the loop runs is then younger than this.
        LookedAt = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
        Blocks.For(
            EndEntry - FirstEntry,
            256,
            Environment.ProcessorCount,
            (_, first, end) =>
            {
                // Members of an archive share its file.
                (string? File, FileChange? Change) last = default;
                for (var i = FirstEntry + first; i < FirstEntry + end; i++)
                {
                    Stamps[i] = StampOf(dataset, i);
                    var file = dataset.FileOf(i);
                    if (file != last.File)
                        last = (file, file is null ? null : FileChange.Of(file));
                    Changes[i] = last.Change;
                }
            }
        );
    }

    public Dataset Dataset { get; }

    /// <summary>Entries of the shard: first and end (exclusive).</summary>
    public int FirstEntry { get; }

    public int EndEntry { get; }

    /// <summary>By entry.</summary>
    public PhotoStamp[] Stamps { get; }

    /// <summary>By entry: what the file system reported about the photo's file before it was read; null where it reports nothing.</summary>
    public FileChange?[] Changes { get; }

    /// <summary>When the file system was read, in nanoseconds since 1970 UTC.</summary>
    public long LookedAt { get; }

    /// <summary>Positions in the whole dataset's set, shards or not.</summary>
    public int Positions => _first[^1];

    public int Views(int entry) => _first[entry + 1] - _first[entry];

    public int Position(int entry, int view) => _first[entry] + view;

    /// <summary>A photo that has gone since the dataset was listed fails when it is read, with its reason.</summary>
    public static PhotoStamp StampOf(Dataset dataset, int entry)
    {
        try
        {
            return dataset.Stamp(entry);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A length that no photo has: nothing is confirmed for it.
            return new(-1, 0);
        }
    }
}

/// <summary>SHA-256 of photos that have to be read to know whether their vectors can be reused; each is read once.</summary>
internal sealed class PhotoHashes(Dataset dataset)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<int, string> _hashes = new();

    /// <summary>Lower-case hex, or an empty string when the photo cannot be read.</summary>
    public string this[int entry] => _hashes[entry];

    public void Compute(IReadOnlyList<int> entries, CancellationToken cancellation)
    {
        var wanted = entries.Where(e => !_hashes.ContainsKey(e)).ToArray();
        Blocks.For(
            wanted.Length,
            16,
            Environment.ProcessorCount,
            (_, first, end) =>
            {
                var buffer = new byte[1 << 16];
                for (var i = first; i < end; i++)
                    _hashes[wanted[i]] = Hash(wanted[i], ref buffer);
            },
            cancellation
        );
    }

    private string Hash(int entry, ref byte[] buffer)
    {
        try
        {
            var length = dataset.Read(entry, ref buffer);
            return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(buffer.AsSpan(0, length)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
