using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>A head with its place in the comparison's own order.</summary>
internal sealed record RankedHead(int Index, HeadResult Head);

/// <summary>The order of heads on a page: the best, then by accuracy.</summary>
internal static class Ranking
{
    public static IReadOnlyList<RankedHead> Of(Comparison comparison) =>
        [
            .. comparison
                .Heads.Select((head, index) => new RankedHead(index, head))
                // First: of equally accurate heads it is the one that the tests are against, and a mean may differ in its last bit.
                .OrderByDescending(r => IsBest(r.Head))
                .ThenByDescending(r => r.Head.Accuracy.Value)
                .ThenBy(r => r.Index),
        ];

    /// <summary>For narrow places: the short name of the head with this title.</summary>
    public static string ShortName(Comparison comparison, string title) =>
        comparison.Heads.FirstOrDefault(h => h.Title == title) is { } head ? ShortName(comparison, head) : title;

    /// <summary>
    /// The short name; of several feature sets its own by the name that the tables have for it, before the head: what is cut off of a long
    /// one is then not what differs between heads.
    /// </summary>
    public static string ShortName(Comparison comparison, HeadResult head) =>
        comparison.Provenance.FeatureSets.Count > 1
            ? $"{FeatureSetsSection.NameOf(comparison, head.FeatureSet)}: {head.NameOnOneSet}"
            : head.ShortName;

    /// <summary>The name of a head with its settings in a quieter type.</summary>
    public static Html Title(HeadResult head)
    {
        var html = new Html().Name(head.Name);
        return head.ChosenSettings.Length > 0 ? html.Add($" <span class=\"rest\"><bdi>{head.ChosenSettings}</bdi></span>") : html;
    }

    /// <summary>The one that the others were tested against.</summary>
    public static bool IsBest(HeadResult head) => head.TiedWithBest && double.IsNaN(head.PValue);
}
