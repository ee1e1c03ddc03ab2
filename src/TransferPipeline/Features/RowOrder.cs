using System.Globalization;
using System.Text;

namespace TransferPipeline.Features;

/// <summary>
/// Where the rows of a part stand in the whole set. Rows live in whichever part was written when they were new; their positions,
/// kept in the manifest as runs, put them back into the dataset's order.
/// </summary>
internal static class RowOrder
{
    /// <summary>Positions as runs: 4, 5, 6, 9 becomes <c>4+3,9+1</c>.</summary>
    public static string Format(ReadOnlySpan<int> positions)
    {
        var text = new StringBuilder();
        for (var i = 0; i < positions.Length; )
        {
            var length = 1;
            while (i + length < positions.Length && positions[i + length] == positions[i] + length)
                length++;
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ",")}{positions[i]}+{length}");
            i += length;
        }

        return text.ToString();
    }

    /// <exception cref="BadInputException">The text is not as <see cref="Format"/> writes it, or names another number of rows.</exception>
    public static int[] Parse(FeaturePart part, string folder)
    {
        var positions = new int[part.Rows];
        var next = 0;
        foreach (var run in part.Order.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var plus = run.IndexOf('+');
            if (
                plus < 0
                || !int.TryParse(run.AsSpan(0, plus), NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                || !int.TryParse(run.AsSpan(plus + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                // Before the loop: a damaged count must not write outside the array.
                || count > positions.Length - next
                || first > Array.MaxLength - count
            )
                throw Damaged();
            for (var i = 0; i < count; i++)
                positions[next++] = first + i;
        }

        return next == positions.Length ? positions : throw Damaged();

        BadInputException Damaged() =>
            new(
                $"{Path.Combine(folder, FeatureManifest.FileName)} is damaged: the order of {part.File} is not that of {part.Rows} "
                    + $"rows; delete the folder and extract again"
            );
    }

    /// <summary>For each part and row in it, the row's number in the whole set: the rank of its position.</summary>
    public static int[][] Ranks(FeatureManifest manifest, string folder)
    {
        var ranks = manifest.Parts.Select(p => Parse(p, folder)).ToArray();
        var all = ranks.SelectMany(p => p).ToArray();
        Array.Sort(all);
        for (var i = 1; i < all.Length; i++)
        {
            if (all[i] == all[i - 1])
                throw new BadInputException(
                    $"{Path.Combine(folder, FeatureManifest.FileName)} is damaged: two rows stand at position {all[i]}; delete the "
                        + $"folder and extract again"
                );
        }

        // Photos that failed leave gaps; a shard begins beyond 0. Without both the positions are the ranks already.
        if (all.Length > 0 && all[^1] != all.Length - 1)
        {
            foreach (var part in ranks)
            {
                for (var i = 0; i < part.Length; i++)
                    part[i] = Array.BinarySearch(all, part[i]);
            }
        }

        return ranks;
    }
}
