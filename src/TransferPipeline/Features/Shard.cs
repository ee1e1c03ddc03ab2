using System.Globalization;
using TransferPipeline.Datasets;

namespace TransferPipeline.Features;

/// <summary>
/// One of n equal stretches of a dataset's entries, in their order: shard i covers entries [(i - 1) N / n, i N / n). Stretches, not
/// every n-th entry, so that the merged set's parts stay in the dataset's order.
/// </summary>
/// <param name="Number">1 to <paramref name="Count"/>.</param>
internal readonly record struct Shard(int Number, int Count)
{
    public static Shard Whole => new(1, 1);

    /// <summary>Reads <c>i/n</c>, such as <c>2/8</c>.</summary>
    /// <exception cref="UsageException">It is not of that form, or i is not within 1..n.</exception>
    public static Shard Parse(string text) =>
        TryParse(text, out var shard) ? shard : throw new UsageException($"shard '{text}' is not i/n with i from 1 to n, such as 2/8");

    public static bool TryParse(string text, out Shard shard)
    {
        shard = default;
        var parts = text.Split('/');
        if (
            parts.Length != 2
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || number < 1
            || number > count
        )
            return false;
        shard = new(number, count);
        return true;
    }

    /// <summary>SHA-256 of a dataset's photos in their order, which determine what is in each shard.</summary>
    public static string HashOf(Dataset dataset) => LinesHash.Of(dataset.Entries.Select(e => $"{e.Path}\n{e.Label}\n{e.Split}"));

    // In 64 bits, since the number of a shard times that of the entries may exceed int.
    /// <summary>First entry and end (exclusive) of this shard among <paramref name="entries"/>.</summary>
    public (int First, int End) Range(int entries) => ((int)((long)(Number - 1) * entries / Count), (int)((long)Number * entries / Count));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Count}");
}
