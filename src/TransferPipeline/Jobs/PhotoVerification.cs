using TransferPipeline.Datasets;
using TransferPipeline.Extraction.Resume;
using TransferPipeline.Features;

namespace TransferPipeline.Jobs;

/// <summary>Compares a feature set with the photos that it was made of, by their bytes.</summary>
internal static class PhotoVerification
{
    /// <summary>One line for each photo that is gone, new, changed or cannot be read; empty when the set is that of these photos.</summary>
    public static IReadOnlyList<string> Run(FeatureSet set, Dataset photos, CancellationToken cancellation)
    {
        var known = set.LoadRows()
            .Where(r => r.View == 0)
            .Select(r => (r.Path, Sha: r.ImageSha256))
            .Concat(set.LoadFailed().Select(f => (f.Path, Sha: f.ImageSha256)))
            .DistinctBy(photo => photo.Path)
            .ToDictionary(photo => photo.Path, photo => photo.Sha, StringComparer.Ordinal);
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
            var path = photos.Entries[i].Path;
            if (!known.Remove(path, out var sha))
                problems.Add($"{path} is not in the set");
            // The hash is empty where a photo could not be read;
            // one that failed at the extraction too is no difference.
            else if (hashes[i].Length == 0 && sha.Length > 0)
                problems.Add($"{path} cannot be read");
            else if (hashes[i] != sha)
                problems.Add($"{path} has changed: its SHA-256 is {hashes[i]}, the set's is {sha}");
        }

        problems.AddRange(known.Keys.Order(StringComparer.Ordinal).Select(path => $"{path} is in the set and no longer among the photos"));
        return problems;
    }
}
