using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace TransferPipeline.Datasets;

/// <summary>
/// Divides photos into splits by seed. How many of each class go where is scikit-learn's StratifiedShuffleSplit rule; which ones go is
/// decided by a hash of seed and path, so that a photo that is added or removed moves at most a few of the others.
/// </summary>
internal static class StratifiedSplit
{
    public const double DefaultValidationShare = 0.2;

    /// <summary>
    /// Splits for data that has none, and a validation split for data that has splits but lacks that one, when it is requested.
    /// </summary>
    /// <param name="entries">Entries whose split is empty where the data names none.</param>
    public static void Complete(PhotoEntry[] entries, DatasetOptions options)
    {
        var validation = options.ValidationShare ?? DefaultValidationShare;
        CheckShares(validation, options.TestShare);
        if (Array.TrueForAll(entries, e => e.Split.Length == 0))
            Assign(entries, Enumerable.Range(0, entries.Length), validation, options.TestShare, options);
        else if (options.ValidationShare is > 0 && !Array.Exists(entries, e => e.Split == Splits.Validation))
            Assign(entries, Enumerable.Range(0, entries.Length).Where(i => entries[i].Split == Splits.Train), validation, 0, options);
    }

    private static void Assign(
        PhotoEntry[] entries,
        IEnumerable<int> items,
        double validationShare,
        double testShare,
        DatasetOptions options
    )
    {
        var all = items.ToArray();
        int[][] groups = options.Stratified
            ? [.. all.GroupBy(i => entries[i].Label).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => g.ToArray())]
            : [all];
        int[] sizes = [.. groups.Select(g => g.Length)];
        // Rounded up, as scikit-learn does; the validation part takes no more than the test part leaves.
        var tested = (int)Math.Ceiling(testShare * all.Length);
        var validated = Math.Min(all.Length - tested, (int)Math.Ceiling(validationShare * all.Length));
        // Two draws: first the test part is taken, then the validation part
        // out of the rest. Both shares are of all photos.
        var kept = Mode(sizes, all.Length - tested);
        var train = Mode(kept, all.Length - tested - validated);
        for (var g = 0; g < groups.Length; g++)
        {
            // Photos of equal hashes are ordered by path, so that the division depends on nothing else.
            var order = groups[g]
                .OrderBy(i => Hash(options.Seed, entries[i].Path))
                .ThenBy(i => entries[i].Path, StringComparer.Ordinal)
                .ToArray();
            for (var i = 0; i < order.Length; i++)
            {
                var split =
                    i < sizes[g] - kept[g] ? Splits.Test
                    : i < sizes[g] - train[g] ? Splits.Validation
                    : Splits.Train;
                entries[order[i]] = entries[order[i]] with { Split = split };
            }
        }
    }

    /// <summary>
    /// Allots <paramref name="draws"/> to classes in proportion to their sizes: each gets the floor of its part, what is left goes to the
    /// largest fractions. This is what StratifiedShuffleSplit does for its training part (sklearn.utils.extmath._approximate_mode), but
    /// that ties go to the earlier class instead of a random one; the test part, ceil(share * n) in all, is the rest.
    /// </summary>
    internal static int[] Mode(IReadOnlyList<int> sizes, int draws)
    {
        // Without photos the shares would be 0 / 0.
        var total = Math.Max(1, sizes.Sum());
        var parts = sizes.Select(size => (double)size / total * draws).ToArray();
        var counts = parts.Select(part => (int)Math.Floor(part)).ToArray();
        var left = draws - counts.Sum();
        foreach (var g in Enumerable.Range(0, sizes.Count).OrderByDescending(g => parts[g] - counts[g]).ThenBy(g => g).Take(left))
            counts[g]++;
        return counts;
    }

    private static void CheckShares(double validation, double test)
    {
        foreach (var (name, share) in new[] { ("validation-share", validation), ("test-share", test) })
        {
            // Written so that NaN is refused too.
            if (!(share is >= 0 and < 1))
                throw new UsageException($"{name} is {share}, expected a number from 0 to below 1");
        }

        if (validation + test >= 1)
            throw new UsageException($"validation-share {validation} and test-share {test} leave nothing to train on");
    }

    private static ulong Hash(int seed, string path) =>
        // The line break keeps seed 1 with path 2/a apart from seed 12 with path /a.
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}\n{path}")));
}
