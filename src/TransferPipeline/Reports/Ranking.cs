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

    /// <summary>
    /// What a title contains beyond the trainer's name, with the chosen values of sweeps; empty when it does not begin with that.
    /// </summary>
    public static string Rest(HeadResult head) =>
        head.ChosenTitle.StartsWith(head.Name + " ", StringComparison.Ordinal) ? head.ChosenTitle[(head.Name.Length + 1)..] : "";

    /// <summary>A title without what <see cref="Rest"/> gives.</summary>
    public static Html Name(HeadResult head) => new Html().Name(Rest(head).Length > 0 ? head.Name : head.ChosenTitle);

    /// <summary>A title with its options in a quieter type than the name.</summary>
    public static Html Title(HeadResult head) =>
        Rest(head) is { Length: > 0 } rest ? Name(head).Add($" <span class=\"rest\"><bdi>{rest}</bdi></span>") : Name(head);

    /// <summary>The one that the others were tested against.</summary>
    public static bool IsBest(HeadResult head) => head.TiedWithBest && double.IsNaN(head.PValue);
}
