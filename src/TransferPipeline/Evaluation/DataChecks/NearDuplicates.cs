using System.Globalization;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Evaluation;

/// <summary>Two photos, the first before the second, whose vectors point nearly the same way.</summary>
internal readonly record struct DuplicatePair(int First, int Second, double Cosine);

/// <summary>Finds all pairs of photos above a cosine, by products of row blocks.</summary>
internal static class NearDuplicates
{
    private const int Block = 256;

    /// <summary>More are no copies but vectors that all point one way, and would fill the memory: photos make N x N / 2 pairs.</summary>
    internal const int MostPairs = 10_000_000;

    /// <returns>The pairs, by first then second photo; vectors of zeros are like nothing.</returns>
    /// <exception cref="BadInputException">There are too many.</exception>
    public static DuplicatePair[] Find(FeatureView view, double threshold, int threads, CancellationToken cancellation = default)
    {
        var x = view.Vectors([.. Enumerable.Range(0, view.PhotoCount)]);
        var inverseNorms = InverseNorms(x);
        var blocks = Blocks.Count(x.Rows, Block);
        var found = new List<DuplicatePair>[blocks];
        var total = 0L;
        Blocks.For(
            x.Rows,
            Block,
            threads,
            (block, start, end) =>
            {
                var pairs = found[block] = [];
                var cosines = new float[Block * Block];
                // Pairs are symmetric: a block is compared with itself and with those behind it.
                for (var other = start; other < x.Rows; other += Block)
                {
                    var count = Math.Min(Block, x.Rows - other);
                    MatMul.TransposedB(RowsOf(x, start, end - start), RowsOf(x, other, count), cosines, end - start, count, x.Columns);
                    for (var i = start; i < end; i++)
                    {
                        for (var j = Math.Max(other, i + 1); j < other + count; j++)
                        {
                            var cosine = cosines[((i - start) * count) + j - other] * inverseNorms[i] * inverseNorms[j];
                            // Rounding takes the cosine of equal vectors above 1.
                            if (cosine >= threshold)
                                pairs.Add(new(i, j, Math.Min(1, cosine)));
                        }
                    }

                    // Not only after the block: 256 photos make enough pairs with a million others to fill the memory.
                    if (pairs.Count > MostPairs)
                        break;
                }

                if (Interlocked.Add(ref total, pairs.Count) > MostPairs)
                    Throw.BadInput(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"of the {x.Rows:N0} photos more than {MostPairs:N0} pairs have a cosine of at least {threshold}: their "
                                + $"vectors are too alike to find near-duplicates; raise near-duplicate-cosine, or leave the check out"
                        )
                    );
            },
            cancellation
        );
        return [.. found.SelectMany(p => p).OrderBy(p => p.First).ThenBy(p => p.Second)];
    }

    /// <summary>For each photo the first photo of its group: groups are what chains of pairs connect.</summary>
    public static int[] Groups(int photoCount, IEnumerable<DuplicatePair> pairs)
    {
        var parent = Enumerable.Range(0, photoCount).ToArray();
        int Root(int photo)
        {
            while (parent[photo] != photo)
                // Path halving: without it a long chain of pairs would be walked again for each of its photos.
                photo = parent[photo] = parent[parent[photo]];
            return photo;
        }

        foreach (var pair in pairs)
        {
            var (a, b) = (Root(pair.First), Root(pair.Second));
            parent[Math.Max(a, b)] = Math.Min(a, b);
        }

        return [.. Enumerable.Range(0, photoCount).Select(Root)];
    }

    /// <summary>1 / Euclidean length of each row, 0 for rows of zeros.</summary>
    public static double[] InverseNorms(FeatureMatrix x) =>
        [
            .. Enumerable
                .Range(0, x.Rows)
                .Select(r =>
                {
                    var squares = 0.0;
                    foreach (var value in x.Row(r))
                        squares += (double)value * value;
                    return squares > 0 ? 1 / Math.Sqrt(squares) : 0;
                }),
        ];

    private static ReadOnlySpan<float> RowsOf(FeatureMatrix x, int first, int count) => x.Data.AsSpan(first * x.Columns, count * x.Columns);
}
