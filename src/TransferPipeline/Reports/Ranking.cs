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

    /// <summary>For narrow places: the head's name where no other head has it, else its title.</summary>
    public static string ShortName(Comparison comparison, string title)
    {
        var name = comparison.Heads.FirstOrDefault(h => h.Title == title)?.Name;
        return name is not null && comparison.Heads.Count(h => h.Name == name) == 1 ? name : title;
    }

    /// <summary>A title with its options in a quieter type than the name.</summary>
    public static Html Title(HeadResult head)
    {
        var html = new Html();
        return head.Title.Length > head.Name.Length && head.Title.StartsWith(head.Name + " ", StringComparison.Ordinal)
            ? html.Name(head.Name).Add($" <span class=\"rest\"><bdi>{head.Title[(head.Name.Length + 1)..]}</bdi></span>")
            : html.Name(head.Title);
    }

    /// <summary>The one that the others were tested against.</summary>
    public static bool IsBest(HeadResult head) => head.TiedWithBest && double.IsNaN(head.PValue);
}
