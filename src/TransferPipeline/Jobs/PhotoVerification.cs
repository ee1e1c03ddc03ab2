using TransferPipeline.Datasets;
using TransferPipeline.Extraction.Resume;
using TransferPipeline.Features;

namespace TransferPipeline.Jobs;

/// <summary>Compares a feature set with the photos that it was made of, by their bytes and labels.</summary>
internal static class PhotoVerification
{
    /// <summary>
    /// One line for each photo that is gone, new, changed, of another class or cannot be read; empty when the set is that of these photos.
    /// </summary>
    public static IReadOnlyList<string> Run(FeatureSet set, Dataset photos, CancellationToken cancellation)
    {
        var known = set.LoadRows()
            .Where(r => r.View == 0)
            .Select(r => (r.Path, Sha: r.ImageSha256, r.Label))
            .Concat(set.LoadFailed().Select(f => (f.Path, Sha: f.ImageSha256, f.Label)))
            .DistinctBy(photo => photo.Path)
            .ToDictionary(photo => photo.Path, photo => (photo.Sha, photo.Label), StringComparer.Ordinal);
        var (first, end) = (set.Manifest.Shard is { } text ? Shard.Parse(text) : Shard.Whole).Range(photos.Entries.Count);
        // Photos of other shards are not expected, but may be there when photos were added to the dataset.
        int[] compared =
        [
            .. Enumerable.Range(0, photos.Entries.Count).Where(i => (i >= first && i < end) || known.ContainsKey(photos.Entries[i].Path)),
        ];
        var hashes = new PhotoHashes(photos);
        hashes.Compute(compared, cancellation);
        var problems = new List<string>();
        foreach (var i in compared)
        {
            var (path, label) = (photos.Entries[i].Path, photos.Entries[i].Label);
            if (!known.Remove(path, out var old))
            {
                problems.Add($"{path} is not in the set");
                continue;
            }

            if (label != old.Label)
                problems.Add($"{path} is labelled {label} now, and {old.Label} in the set");
            // The hash is empty where a photo could not be read;
            // one that failed at the extraction too is no difference.
            if (hashes[i].Length == 0 && old.Sha.Length > 0)
                problems.Add($"{path} cannot be read");
            else if (hashes[i] != old.Sha)
                problems.Add($"{path} has changed: its SHA-256 is {hashes[i]}, the set's is {old.Sha}");
        }

        problems.AddRange(known.Keys.Order(StringComparer.Ordinal).Select(path => $"{path} is in the set and no longer among the photos"));
        return problems;
    }
}
