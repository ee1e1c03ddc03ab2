using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>A head with its place in the comparison's own order.</summary>
internal sealed record RankedHead(int Index, HeadResult Head);

/// <summary>The order of heads on a page: the best, then by accuracy.</summary>
internal static class Ranking
{
    public static IReadOnlyList<RankedHead> Of(Comparison comparison) =>
    [
        .. comparison.Heads.Select((head, index) => new RankedHead(index, head))
            .OrderByDescending(r => r.Head.Accuracy.Value)
            .ThenByDescending(r => IsBest(r.Head))
            .ThenBy(r => r.Index),
    ];

    /// <summary>The one that the others were tested against.</summary>
    public static bool IsBest(HeadResult head) => head.TiedWithBest && double.IsNaN(head.PValue);
}
