using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Networks;

/// <summary>
/// Which rows an epoch sees, in which order. With cached views each photo comes once an epoch, in its first view, then its second, and
/// so on around: what a data loader that augments anew each time does, from as many augmented copies as were cached.
/// </summary>
internal sealed class EpochOrder
{
    private readonly int[][] _views;
    private readonly int _seed;

    /// <param name="allViews">Every view in every epoch instead of one per photo.</param>
    public EpochOrder(TrainingRows data, bool allViews, int seed)
    {
        _seed = seed;
        _views =
            allViews || data.Photos is null
                ? Array.ConvertAll(data.Rows, row => new[] { row })
                : [.. data.Rows.GroupBy(row => data.Photos[row]).Select(views => views.ToArray())];
    }

    /// <summary>Rows of an epoch.</summary>
    public int Count => _views.Length;

    /// <summary>The rows of an epoch (from 0), shuffled by seed and epoch.</summary>
    public int[] Rows(int epoch)
    {
        var rows = Array.ConvertAll(_views, views => views[epoch % views.Length]);
        // The rows' own order is shuffled each time, so an epoch's order does not depend on the epochs before.
        RandomStream.OfPart(_seed, epoch).Shuffle(rows);
        return rows;
    }
}
